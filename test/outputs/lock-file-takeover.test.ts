/** A lock whose holder may be gone: whether it lives is found out, and one of those that look takes it over. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ownClaim } from '../../src/outputs/lock-claim.js';
import { LockFile } from '../../src/outputs/lock-file.js';
import { dead, distant, fresh, holder, locked, plant, renewMs } from './lock-fixture.js';

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
