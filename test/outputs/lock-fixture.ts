/** Locks in a folder that goes with the tests, claims that others left, and a process that holds one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Claim, claimText, ownClaim } from '../../src/outputs/lock-claim.js';

export const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-lock-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
export const fresh = () => join(folder, `${++count}.lock`);
/** Writes a claim as a process of this machine would have left it, changed so. */
export async function plant(path: string, changed: Partial<Claim>, renewalCount = 0): Promise<void> {
  writeFileSync(path, claimText({ ...(await ownClaim()), ...changed }, renewalCount));
}
export const dead = { pid: 2 ** 22 - 1, startedAt: '1' };
export const distant = { pid: 1, host: 'elsewhere', place: 'elsewhere', nonce: '0123456789ab' };
/** So that a look is soon; the lease is twelve of them. */
export const renewMs = 20;
export const locked = { name: 'UsageError', code: 'ERR_RESULTS_LOCKED' };

/** A process of its own that acquires the lock, says so, and stays until it is killed. */
export async function holder(path: string) {
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
