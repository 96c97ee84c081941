/** A misuse is told in a sentence; a fault of a program of tests is not taken for one. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitStatus, Misuse } from './misuse.js';

const run = (name: string, words: readonly string[]) =>
  new Promise<readonly [code: unknown, stdout: string, stderr: string]>((resolve) => {
    const program = fileURLToPath(new URL(`../${name}/run.ts`, import.meta.url));
    execFile(process.execPath, ['--import', 'tsx', program, ...words], (error, stdout, stderr) =>
      resolve([error?.code ?? 0, stdout, stderr]),
    );
  });

test('a TypeError is thrown on, a misuse is status 2', async () => {
  await assert.rejects(
    exitStatus(async () => {
      throw new TypeError('planted');
    }),
    /planted/,
  );
  assert.equal(
    await exitStatus(async () => {
      throw new Misuse('Expected nothing: this is a test.');
    }),
    2,
  );
  assert.equal(await exitStatus(async () => 1), 1);
});

for (const name of ['fuzz', 'mutants']) {
  test(`npm run ${name}: a count that is none is refused in a line`, async () => {
    const [code, stdout, stderr] = await run(name, ['--count', 'abc']);
    assert.deepEqual([code, stdout, stderr], [2, '', "Expected a whole number from 1 for --count, received 'abc'.\n"]);
  });
}
