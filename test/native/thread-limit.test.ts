/** Where the system gives too few threads a context is refused; ggml would end the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contextOptions, modelOptions } from './fixture.js';

const script = fileURLToPath(new URL('./thread-limit-child.mjs', import.meta.url));
const addon =
  process.env['ETA_VLM_ADDON'] ?? fileURLToPath(new URL('../../build/Release/eta-vlm.node', import.meta.url));

/** A user whom nobody else is, not even another run of this test: the limit counts all threads of a user, and does not hold for root. */
const NOBODY = 100_000 + process.pid;
const THREADS = 16;

function underLimit(limit: number) {
  const options = { addon, modelOptions: modelOptions(), contextOptions: contextOptions({ threadCount: THREADS }) };
  const args = [`--nproc=${limit}`, process.execPath, script, JSON.stringify(options)];
  return spawnSync('prlimit', args, { uid: NOBODY, encoding: 'utf8' });
}

/** Needs root, prlimit, and files that everybody may read. */
const canRun = process.getuid?.() === 0 && underLimit(200).status === 0;

test('a limit on threads refuses a context, and never ends the process', { skip: !canRun }, () => {
  const { before } = JSON.parse(underLimit(200).stdout);
  // The pool has one thread fewer than it computes with, because the caller's is one.
  const enough = before + THREADS - 1;
  for (let limit = enough - 3; limit <= enough; limit++) {
    const { status, signal, stdout, stderr } = underLimit(limit);
    assert.equal(status, 0, `limit ${limit}: ${signal} ${stderr}`);
    const { outcomes } = JSON.parse(stdout);
    const refusal = `CONTEXT_FAILED Expected 15 more threads but the system gives ${limit - before}. Ask for fewer (threadCount), or raise the limit.`;
    const expected = limit < enough ? refusal : 'made';
    assert.deepEqual(
      outcomes,
      Array.from(outcomes, () => expected),
      `limit ${limit}`,
    );
  }
});
