import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LockFile } from '../../src/batch/lock-file.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-lock-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.lock`);
const locked = { name: 'UsageError', code: 'ERR_RESULTS_LOCKED' };

/** A process of its own that acquires the lock, says so, and stays until it is killed. */
async function holder(path: string) {
  const script = `
    const { LockFile } = await import(${JSON.stringify(new URL('../../src/batch/lock-file.ts', import.meta.url).href)});
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
