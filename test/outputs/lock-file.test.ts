import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
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
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Claim, claimText, ownClaim } from '../../src/outputs/lock-claim.js';
import { LockFile } from '../../src/outputs/lock-file.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-lock-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.lock`);
/** Writes a claim as a process of this machine would have left it, changed so. */
async function plant(path: string, changed: Partial<Claim>, renewalCount = 0): Promise<void> {
  writeFileSync(path, claimText({ ...(await ownClaim()), ...changed }, renewalCount));
}
const dead = { pid: 2 ** 22 - 1, startedAt: '1' };
const distant = { pid: 1, host: 'elsewhere', place: 'elsewhere', nonce: '0123456789ab' };
/** So that a look is soon; the lease is twelve of them. */
const renewMs = 20;
const locked = { name: 'UsageError', code: 'ERR_RESULTS_LOCKED' };

/** A process of its own that acquires the lock, says so, and stays until it is killed. */
async function holder(path: string) {
  const script = `
    const { LockFile } = await import(${JSON.stringify(new URL('../../src/outputs/lock-file.ts', import.meta.url).href)});
    await LockFile.acquire(${JSON.stringify(path)}, 'x').then(() => console.log('held'), ({ code }) => console.log(code));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
  return { said: said.toString().trim(), pid: child.pid, kill };
}

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
    readdirSync(folder).filter((name) => name.startsWith(`${count}.`)),
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

test('where nobody can tell when a living process began, its renewals decide', async () => {
  const path = fresh();
  await plant(path, { startedAt: null });
  const told: unknown[] = [];
  await (await LockFile.acquire(path, 'x', { renewMs, onWait: (holder) => void told.push(holder) })).release();
  assert.equal(told.length, 12);
});

/** A process that is not told what only Linux tells: the start of the system, namespaces, the start of a process. */
function untold(path: string): string {
  const script = `
    const { default: promises } = await import('node:fs/promises');
    const { syncBuiltinESMExports } = await import('node:module');
    for (const name of ['readFile', 'readlink']) {
      const call = promises[name];
      promises[name] = async (path, ...others) => {
        if (String(path).startsWith('/proc/')) throw new Error('no /proc');
        return await call(path, ...others);
      };
    }
    syncBuiltinESMExports();
    const { LockFile } = await import(${JSON.stringify(new URL('../../src/outputs/lock-file.ts', import.meta.url).href)});
    let waitCount = 0;
    await LockFile.acquire(${JSON.stringify(path)}, 'x', { renewMs: 200, onWait: () => void waitCount++ }).then(
      (lock) => lock.release().then(() => console.log('held after', waitCount)),
      ({ code }) => console.log(code),
    );`;
  return script;
}
async function untoldSays(path: string): Promise<string> {
  const run = promisify(execFile);
  const given = ['--import', 'tsx', '--input-type=module', '-e', untold(path)];
  return (await run(process.execPath, given)).stdout.trim();
}

test('where the system tells no place for sure, a number that came back holds nothing, and one that is not there may', async () => {
  const unsure = { host: hostname(), place: hostname(), startedAt: null };
  const [back, elsewhere] = [fresh(), fresh()] as const;
  await plant(back, { ...unsure, pid: process.pid });
  let renewalCount = 0;
  const renew = () => plant(elsewhere, { ...unsure, pid: dead.pid, nonce: '0123456789ab' }, ++renewalCount);
  await renew();
  const timer = setInterval(() => void renew(), 50);
  try {
    assert.deepEqual(await Promise.all([untoldSays(back), untoldSays(elsewhere)]), [
      'held after 12',
      'ERR_RESULTS_LOCKED',
    ]);
  } finally {
    clearInterval(timer);
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

const told = existsSync('/proc/self/stat');
test('a process id that came back is another process', { skip: !told && 'needs /proc' }, async () => {
  const path = fresh();
  await plant(path, { startedAt: '12' });
  await (await LockFile.acquire(path, 'x')).release();
});

test('what runs on another machine is looked at: silent, its lock is taken over', async () => {
  const path = fresh();
  await plant(path, distant);
  const told: unknown[] = [];
  const lock = await LockFile.acquire(path, 'x', { renewMs, onWait: (holder) => void told.push(holder) });
  assert.equal(told.length, 12);
  assert.deepEqual(told[0], { pid: 1, host: 'elsewhere', isHere: false });
  await lock.check();
  await assert.rejects(LockFile.acquire(path, 'x'), {
    ...locked,
    message: new RegExp(`process ${process.pid} writes`),
  });
  await lock.release();
});

test('the same name is not the same machine: a process number of another namespace says nothing', async () => {
  const path = fresh();
  const { host } = await ownClaim();
  await plant(path, { ...dead, place: 'another start of this machine' });
  const told: unknown[] = [];
  await (await LockFile.acquire(path, 'x', { renewMs, onWait: (holder) => void told.push(holder) })).release();
  assert.deepEqual(told[0], { pid: dead.pid, host, isHere: false });
});

/** A lock that a process elsewhere renews until it is told to stop. */
async function renewed(path: string) {
  let renewalCount = 0;
  await plant(path, distant, renewalCount);
  const timer = setInterval(() => void plant(path, distant, ++renewalCount), renewMs);
  return () => clearInterval(timer);
}

test('one that is renewed elsewhere is refused, or waited for until it is silent', async () => {
  const path = fresh();
  const stop = await renewed(path);
  try {
    await assert.rejects(LockFile.acquire(path, 'x', { renewMs }), { ...locked, message: /process 1 on elsewhere/ });
    await assert.rejects(LockFile.checkFree(path, 'x', { renewMs }), locked);
    await assert.rejects(
      LockFile.acquire(path, 'x', { renewMs, waits: true, signal: AbortSignal.timeout(20 * renewMs) }),
      { name: 'AbortError' },
    );
    setTimeout(stop, 5 * renewMs);
    await LockFile.checkFree(path, 'x', { renewMs, waits: true });
    const lookedAt: unknown[] = [];
    const lock = await LockFile.acquire(path, 'x', { renewMs, onWait: (holder) => void lookedAt.push(holder) });
    assert.deepEqual(lookedAt, [], 'expected the looks of before to count');
    await lock.release();
  } finally {
    stop();
  }
});

test('of this machine, one is waited for until it ends', async () => {
  const path = fresh();
  const other = await holder(path);
  const waiting = LockFile.acquire(path, 'x', { waits: true });
  await other.kill();
  await (await waiting).release();
});

test('a holder renews its claim, and hears that it was taken over, or taken away', async () => {
  const path = fresh();
  const lock = await LockFile.acquire(path, 'answers.jsonl', { renewMs });
  const before = readFileSync(path, 'utf8');
  const soon = async (happens: () => boolean) => {
    for (let look = 0; !happens(); look++) {
      assert.ok(look < 4000, `expected within twenty seconds: ${happens}`);
      await sleep(5);
    }
  };
  await soon(() => readFileSync(path, 'utf8') !== before);
  assert.equal(readFileSync(path, 'utf8').length, before.length);
  assert.equal(lock.loss, undefined);
  await plant(`${path}.other`, distant);
  renameSync(`${path}.other`, path); // at once, as who takes it over does
  const toldLoss = () => lock.loss?.message ?? '';
  await soon(() => toldLoss() !== '');
  assert.match(toldLoss(), /"answers.jsonl", but process 1 on elsewhere took it over/);
  await assert.rejects(lock.check(), locked);
  rmSync(path);
  await assert.rejects(lock.check(), locked);
  await plant(path, distant);
  await lock.release();
  assert.ok(existsSync(path), "expected another's lock to stay");
});

test('a lock that was taken away is not held', async () => {
  const path = fresh();
  const lock = await LockFile.acquire(path, 'x');
  rmSync(path);
  await assert.rejects(lock.check(), { ...locked, message: /was taken away/ });
  await lock.release();
});

test('who dies while it takes a lock over is followed', async () => {
  const path = fresh();
  await plant(path, { ...dead, nonce: 'aaaaaaaaaaaa' });
  await plant(`${path}.aaaaaaaaaaaa.draft`, { ...dead, nonce: 'bbbbbbbbbbbb' });
  const lock = await LockFile.acquire(path, 'x');
  assert.equal(existsSync(`${path}.aaaaaaaaaaaa.draft`), false);
  await lock.release();
  await plant(path, { ...dead, nonce: 'cccccccccccc' });
  await plant(`${path}.cccccccccccc.draft`, {});
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
});

test('a claim torn by a kill is looked at as one of another machine', async () => {
  for (const text of ['', '{"pid":1,"host":"else']) {
    const path = fresh();
    writeFileSync(path, text);
    const told: unknown[] = [];
    const lock = await LockFile.acquire(path, 'x', { renewMs, onWait: (holder) => void told.push(holder) });
    assert.deepEqual(told, Array(12).fill(null));
    await assert.rejects(LockFile.acquire(path, 'x'), locked);
    await lock.release();
  }
});

test('a folder that cannot be written is told', async () => {
  await assert.rejects(LockFile.acquire(join(folder, 'none', 'x.lock'), 'x'), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
  });
});

/** While a claim's process is looked at, its holder takes the file away. */
async function whileLookedAt<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  const kill = process.kill.bind(process);
  const looked = mock.method(process, 'kill', (pid: number, signal?: string | number) => {
    looked.mock.restore();
    rmSync(path);
    return kill(pid, signal);
  });
  try {
    return await work();
  } finally {
    looked.mock.restore();
  }
}

test('a holder that ends while its claim is looked at takes the other claim with it: that one is made again', async () => {
  const path = fresh();
  await plant(path, dead);
  const lock = await whileLookedAt(path, () => LockFile.acquire(path, 'x'));
  assert.ok(existsSync(path), 'expected who holds the lock to stand in its file');
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  const other = await holder(path);
  await other.kill();
  assert.equal(other.said, 'ERR_RESULTS_LOCKED');
  await lock.release();
});

test('who is refused makes no file of a lock that its holder took away meanwhile', async () => {
  const path = fresh();
  await plant(path, {});
  await assert.rejects(
    whileLookedAt(path, () => LockFile.acquire(path, 'x')),
    locked,
  );
  assert.equal(existsSync(path), false);
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
