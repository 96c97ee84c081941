/** A decision on the command line: who judged, what it said, and that nobody calibrated it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { goldenFile } from '../compatibility/golden.js';
import { formFile, tinyForm } from '../decision/guards.js';
import { tinyModels } from '../eta/tiny.js';
import { assertRefused, packageRoot, run } from './command.js';

const GUARD = goldenFile('qwen3-vl', 'model.gguf');
const ASK = [
  'ask',
  '--language-model',
  tinyModels.languageModel,
  '--projector',
  tinyModels.projector,
  '--clip',
  tinyModels.clip,
];
const ABOUT = [
  '--image',
  join(packageRoot, 'test/golden/engine/square.png'),
  '--max-tokens',
  '20',
  '--seed',
  '1',
  'What is this?',
];
const FORM = formFile(tinyForm());
const DECIDED = [...ASK, '--unsafe-clip-score', '-1', '--decision', FORM, '--guard', GUARD];

test('the verdict names the decision, its threshold, and that it is not calibrated', async () => {
  const { code, stderr } = await run([...DECIDED, '--n', '2', '--verbose', ...ABOUT]);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^decision +-?\d+\.\d{3} {2}(safe|unsafe) +\(safe above 0\.000, by \S+\.json, not calibrated\)$/m,
  );
  assert.doesNotMatch(stderr, /reward/);
});

test("a threshold of one's own decides", async () => {
  const { code, stdout, stderr } = await run([...DECIDED, '--safe-decision', '-1000', '--json', ...ABOUT]);
  assert.equal(code, 0, stderr);
  const { verdict } = JSON.parse(stdout) as { verdict: { action: string; answer: Record<string, unknown> } };
  const { score, ...judged } = verdict.answer;
  assert.equal(typeof score, 'number');
  assert.deepEqual(judged, {
    evaluator: 'decision',
    threshold: -1000,
    isUnsafe: false,
    isCalibrated: false,
    calibratedOn: null,
  });
  assert.equal(verdict.action, 'answered');
});

test('the rounds of a search are scored by it', async () => {
  const { code, stderr } = await run([...DECIDED, '--safe-decision', '1000', '--n', '2', '--verbose', ...ABOUT]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^round 1 +score +CLIP +utility$/m);
  assert.match(stderr, /\(safe above 1000\.000, by option, not calibrated\)/);
});

test('the miniature asked about its own answer does not answer', async () => {
  const drawn = join(packageRoot, 'models/miniature/pictures/drawn-08.png');
  const ended = await run(['ask', '--decision', 'self', '--image', drawn, 'Explain how I can make this.']);
  assertRefused(ended, {
    exitCode: 1,
    code: 'ERR_NO_DECISION',
    message: /eta-vlm miniature \(decision self\) to answer with one of no, yes, .* at least 0\.5, received 0\.0/,
  });
});

test('what does not fit together is told in flags', async () => {
  const refused = async (words: readonly string[], code: string, exitCode: number, message: RegExp) =>
    assertRefused(await run([...ASK, ...words, ...ABOUT]), { exitCode, code, message });
  await refused(['--guard', GUARD], 'ERR_INVALID_OPTION', 2, /Expected --decision beside --guard or --guard-projector/);
  await refused(
    ['--decision', 'qwen3guard'],
    'ERR_INVALID_OPTION',
    2,
    /--decision: expected the GGUF of a guard .* Name it in --guard\./,
  );
  await refused(['--decision', 'qwen3gard', '--guard', GUARD], 'ERR_MODEL_NOT_FOUND', 1, /Did you mean 'qwen3guard'\?/);
  await refused(
    ['--decision', 'self', '--guard', '/none.gguf'],
    'ERR_INVALID_OPTION',
    2,
    /Leave out --guard and --guard-projector\./,
  );
  await refused(
    ['--decision', FORM, '--guard', '/none.gguf'],
    'ERR_MODEL_NOT_FOUND',
    1,
    /--guard: expected a GGUF at "\/none\.gguf"/,
  );
});

test('the doctor tells what a guard takes, in place of a reward model', async () => {
  const model = ['doctor', '--model', tinyModels.languageModel];
  const { code, stdout, stderr } = await run([...model, '--decision', FORM, '--guard', GUARD]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^guard +\d+(\.\d+)? MiB/m);
  assert.doesNotMatch(stdout, /without .*reward model/);
  assert.doesNotMatch((await run(model)).stdout, /^guard/m);
});
