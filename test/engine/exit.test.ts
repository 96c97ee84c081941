/** A process may end at any moment: no crash, no hang. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const child = fileURLToPath(new URL('exit-child.ts', import.meta.url));

for (const [phase, status] of [
  ['a load', 3],
  ['a picture', 3],
  ['a long text', 3],
  ['a decode', 3],
  ['an exception', 1],
  ['the end of the script, nothing disposed of', 3],
  ['a worker thread, terminated', 3],
  ['a worker thread, terminated in a long text', 3],
] as const) {
  test(`exit in the middle of ${phase}`, () => {
    const run = spawnSync(process.execPath, ['--import', 'tsx', child, phase], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(run.signal, null, run.stderr);
    assert.equal(run.status, status, run.stderr);
    assert.equal(run.stdout, '');
  });
}
