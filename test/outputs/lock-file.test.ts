/** A lock on this machine: one holder at a time, and what the file system refuses. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import promises, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { mock, test } from 'node:test';
import { claimText, ownClaim } from '../../src/outputs/lock-claim.js';
import { LockFile } from '../../src/outputs/lock-file.js';
import { dead, folder, fresh, holder, locked, plant } from './lock-fixture.js';

test('one holder at a time, in this process too; the file goes with the lock', async () => {
  const path = fresh();
  const lock = await LockFile.acquire(path, 'answers.jsonl');
  await assert.rejects(LockFile.acquire(path, 'answers.jsonl'), {
    ...locked,
    message: new RegExp(`"answers.jsonl".*process ${process.pid} writes it`),
  });
  await assert.rejects(LockFile.checkFree(path, 'x'), locked);
  await lock.release();
  await lock.release();
  assert.equal(existsSync(path), false);
  await LockFile.checkFree(path, 'x');
  await (await LockFile.acquire(path, 'x')).release();
});

test('who was refused leaves nothing', async () => {
  const path = fresh();
  const first = await LockFile.acquire(path, 'x');
  const before = readFileSync(path, 'utf8');
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  assert.equal(readFileSync(path, 'utf8'), before);
  await first.release();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(basename(path, 'lock'))),
    [],
  );
});

test('a living process holds it, a killed one does not', async () => {
  const path = fresh();
  const other = await holder(path);
  assert.equal(other.said, 'held');
  await assert.rejects(LockFile.acquire(path, 'x'), { ...locked, message: new RegExp(`process ${other.pid} `) });
  await other.kill();
  assert.ok(existsSync(path), 'expected the killed process to leave its lock');
  const lock = await LockFile.acquire(path, 'x');
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  await lock.release();
});

test('of many that find a dead lock at once, one gets it', async () => {
  const path = fresh();
  await plant(path, dead);
  const others = await Promise.all(Array.from({ length: 4 }, () => holder(path)));
  try {
    assert.deepEqual(others.map(({ said }) => said).sort(), [
      'ERR_RESULTS_LOCKED',
      'ERR_RESULTS_LOCKED',
      'ERR_RESULTS_LOCKED',
      'held',
    ]);
  } finally {
    await Promise.all(others.map((other) => other.kill()));
  }
});

/** Calls something once, when a file is first synced: while its claim is made. */
async function whileMade<Value>(meanwhile: () => void | Promise<void>, work: () => Promise<Value>): Promise<Value> {
  const some = await open(fresh(), 'w');
  const calls = Object.getPrototypeOf(some); // of every open file
  await some.close();
  const { datasync } = calls;
  calls.datasync = async function (...given: unknown[]) {
    calls.datasync = datasync;
    await meanwhile();
    return await datasync.apply(this, given);
  };
  try {
    return await work();
  } finally {
    calls.datasync = datasync;
  }
}

test('who stands still while it makes its claim, and is followed, does not hold the lock', async () => {
  const path = fresh();
  const other = await ownClaim();
  await assert.rejects(
    whileMade(
      async () => {
        await plant(`${path}.other`, other);
        renameSync(`${path}.other`, path);
      },
      () => LockFile.acquire(path, 'x'),
    ),
    locked,
  );
  assert.equal(readFileSync(path, 'utf8'), claimText(other, 0));
});

test('what the system refuses for a moment, as Windows and network folders do, is tried again', async () => {
  const path = fresh();
  await plant(path, { ...dead, nonce: 'eeeeeeeeeeee' });
  const { open: opens, rename } = promises;
  const left = new Map([
    ['r', ['EPERM', 'ESTALE']],
    ['wx', ['EBUSY']],
    ['rename', ['EPERM', 'EBUSY']],
  ]);
  const refuse = (call: unknown) => {
    const code = left.get(String(call))?.pop();
    if (code !== undefined) throw Object.assign(new Error(code), { code, syscall: 'open' });
  };
  const mocks = [
    mock.method(promises, 'open', async (...given: Parameters<typeof opens>) => {
      refuse(given[1]);
      return await opens(...given);
    }),
    mock.method(promises, 'rename', async (...given: Parameters<typeof rename>) => {
      refuse('rename');
      await rename(...given);
    }),
  ];
  syncBuiltinESMExports();
  try {
    const lock = await LockFile.acquire(path, 'x');
    assert.deepEqual([...left.values()], [[], [], []]);
    await lock.check();
    await lock.release();
    left.set('wx', Array(1000).fill('EPERM'));
    await assert.rejects(LockFile.acquire(path, 'x'), { name: 'FileError', code: 'ERR_FILE_WRITE' });
  } finally {
    for (const { mock: each } of mocks) each.restore();
    syncBuiltinESMExports();
  }
});

test('a claim that cannot take the place of one that is over leaves nothing', async () => {
  const path = fresh();
  await plant(path, { ...dead, nonce: 'dddddddddddd' });
  const { rename } = promises;
  const failing = mock.method(promises, 'rename', async (...given: Parameters<typeof rename>) => {
    if (given[1] === path) throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'rename' });
    await rename(...given);
  });
  syncBuiltinESMExports();
  try {
    await assert.rejects(LockFile.acquire(path, 'x'), { name: 'FileError', code: 'ERR_FILE_WRITE' });
  } finally {
    failing.mock.restore();
    syncBuiltinESMExports();
  }
  assert.equal(existsSync(`${path}.dddddddddddd.draft`), false);
});

test('of this machine, one is waited for until it ends', async () => {
  const path = fresh();
  const other = await holder(path);
  const waiting = LockFile.acquire(path, 'x', { waits: true });
  await other.kill();
  await (await waiting).release();
});

test('a lock that was taken away is not held', async () => {
  const path = fresh();
  const lock = await LockFile.acquire(path, 'x');
  rmSync(path);
  await assert.rejects(lock.check(), { ...locked, message: /was taken away/ });
  await lock.release();
});

test('a folder that cannot be written is told', async () => {
  await assert.rejects(LockFile.acquire(join(folder, 'none', 'x.lock'), 'x'), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
  });
});

test('what is too large to be read whole is no lock, and stays', async () => {
  const path = fresh();
  writeFileSync(path, '');
  truncateSync(path, 600 * 2 ** 20); // takes no room
  await assert.rejects(LockFile.acquire(path, 'x'), { code: 'ERR_INVALID_OPTION', message: /found something else/ });
  assert.equal(statSync(path).size, 600 * 2 ** 20);
});

test('what cannot be read is no lock, and stays', { skip: process.platform === 'win32' }, async () => {
  const own = fresh();
  mkdirSync(own);
  const path = join(own, 'x.lock');
  writeFileSync(path, 'mine');
  chmodSync(path, 0o222);
  for (const place of [folder, own]) chmodSync(place, 0o777);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534); // root may read everything
  try {
    await assert.rejects(LockFile.acquire(path, 'x'), {
      code: 'ERR_INVALID_OPTION',
      message: /found what cannot be read \(EACCES/,
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  chmodSync(path, 0o666);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
});
