/** Where the system gives too few threads a load, a context and a picture are refused; ggml would end the process. */
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
/** Threads of a pool: one fewer than it computes with, because the caller's is one. */
const POOL = THREADS - 1;

/** What ten tries of a work end with, where the system gives so many threads more. */
function tries(
  work: 'check' | 'load' | 'context' | 'picture',
  more: number,
  options = modelOptions({ threadCount: THREADS }),
) {
  const input = {
    addon,
    modelOptions: options,
    contextOptions: contextOptions({ threadCount: THREADS }),
    picture: { width: 64, height: 64 },
    work,
    more,
  };
  return spawnSync(process.execPath, [script, JSON.stringify(input)], { uid: NOBODY, encoding: 'utf8' });
}

function assertOutcome({ status, signal, stdout, stderr }: ReturnType<typeof tries>, expected: string) {
  assert.equal(status, 0, `${signal} ${stderr}`);
  const outcomes: unknown[] = JSON.parse(stdout);
  assert.deepEqual(
    outcomes,
    Array.from(outcomes, () => expected),
  );
}

const refused = (wanted: number, given: number) =>
  `NO_THREADS Expected ${wanted} more threads but the system gives ${given}. Ask for fewer (threadCount), or raise the limit.`;
const ONE =
  'NO_THREADS Expected one more thread, received: Resource temporarily unavailable. Dispose of a model, or raise the limit of threads.';

/** Needs root, prlimit, and files that everybody may read. */
const canRun = process.getuid?.() === 0 && tries('context', 200).status === 0;

test('a limit on threads refuses a context, and never ends the process', { skip: !canRun }, () => {
  for (const work of ['check', 'context'] as const) {
    for (let more = POOL - 3; more < POOL; more++) assertOutcome(tries(work, more), refused(POOL, more));
    assertOutcome(tries(work, POOL), 'made');
  }
});

test('a limit on threads refuses a picture, for which libmtmd makes them anew, and never ends the process', {
  skip: !canRun,
}, () => {
  const needed = 2 * POOL;
  for (const more of [0, 1, POOL - 1, POOL, needed - 1]) assertOutcome(tries('picture', more), refused(needed, more));
  assertOutcome(tries('picture', needed), 'made');
});

test('a limit on threads refuses a load, which is no fault of the files', { skip: !canRun }, () => {
  assertOutcome(tries('load', 0), ONE);
  const needed = 2 * POOL;
  assertOutcome(tries('load', 1), refused(needed, 0)); // the model's own thread is there
  assertOutcome(tries('load', needed), refused(needed, needed - 1));
  assertOutcome(tries('load', needed + 1), 'made');
  const text = modelOptions({ projectorPath: undefined });
  assertOutcome(tries('load', 1, text), `${ONE}`); // and not the one that reads texts
  assertOutcome(tries('load', 2, text), 'made');
});
