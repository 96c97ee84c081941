import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { LockFile } from '../../src/outputs/lock-file.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-lock-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.lock`);
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

test('who was refused does not stand in the way afterwards', async () => {
  const path = fresh();
  const first = await LockFile.acquire(path, 'x');
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  rmSync(path);
  writeFileSync(path, ''); // as if the holder had been killed and its claim were dead
  await (await LockFile.acquire(path, 'x')).release();
  await first.release();
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
  const dead = { pid: 2 ** 22 - 1, host: hostname(), startedAt: '1', nonce: 'dead' };
  writeFileSync(path, `${JSON.stringify(dead)}\n`);
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

test('a process id that came back is another process, where the system tells when it began', async () => {
  const path = fresh();
  const claim = (startedAt: string | null) =>
    writeFileSync(path, `${JSON.stringify({ pid: process.pid, host: hostname(), startedAt, nonce: 'old' })}\n`);
  claim(null);
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  if (!existsSync('/proc/self/stat')) return;
  claim('12');
  await (await LockFile.acquire(path, 'x')).release();
});

test('what runs on another machine cannot be seen, so it may live', async () => {
  const path = fresh();
  writeFileSync(path, `${JSON.stringify({ pid: 1, host: 'elsewhere', startedAt: '1', nonce: 'n' })}\n`);
  await assert.rejects(LockFile.acquire(path, 'x'), { ...locked, message: /process 1 on elsewhere.*remove/ });
});

test('a claim torn by a kill is no claim, and does not swallow the next', async () => {
  const path = fresh();
  writeFileSync(path, '{"pid":1,"host":"else');
  const lock = await LockFile.acquire(path, 'x');
  await assert.rejects(LockFile.acquire(path, 'x'), locked);
  await lock.release();
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
  writeFileSync(path, `${JSON.stringify({ pid: 2 ** 22 - 1, host: hostname(), startedAt: '1', nonce: 'ended' })}\n`);
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
  writeFileSync(path, `${JSON.stringify({ pid: process.pid, host: hostname(), startedAt: null, nonce: 'n' })}\n`);
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
