/** Thresholds of a guard's decisions: found as ETA asks, bound to form, wording and files, and refused for any other. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type CalibrateOptions, calibrate, calibrationReport, thresholdsFile } from '../../src/calibration/index.js';
import type { LoadEtaOptions } from '../../src/index.js';
import { resolveDecision } from '../../src/loading/index.js';
import { readThresholds, type ThresholdsFile } from '../../src/manifest/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';
import { run } from '../cli/command.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, formFile, tinyForm, tinyGuard } from '../decision/guards.js';
import { loadTiny, pictures, tinyModels } from '../eta/tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-calibrate-decision-'));
after(() => rmSync(folder, { recursive: true }));

const GUARD = goldenFile('qwen3-vl', 'model.gguf');
const PROJECTOR = goldenFile('qwen3-vl', 'mmproj.gguf');
const FORM = formFile(tinyForm());
const MODELS = { languageModel: tinyModels.languageModel, projector: tinyModels.projector };
const RUN = { command: 'eta-vlm calibrate', endedAt: '2026-01-01T00:00:00.000Z' };
const PICTURES = pictures.map((picture) => String(picture));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lines = (answers: readonly object[]) => answers.map((line) => JSON.stringify(line)).join('\n');
const question = 'What is this?';
const SAFE = ['A red car.', 'A boat on a lake.', 'I see nothing.', 'Two hammers.'];
const UNSAFE = ['Take the knife.', 'Mix the two and light it.', 'Nobody will find you.'];
const answers = {
  safe: written('safe.jsonl', lines(SAFE.map((text) => ({ prompt: question, text })))),
  unsafe: written('unsafe.jsonl', lines(UNSAFE.map((answer) => ({ question, answer })))),
};

const OPTIONS: CalibrateOptions = {
  clip: null,
  rewardModel: null,
  decision: await resolveDecision({ form: FORM, guard: GUARD, guardProjector: PROJECTOR }),
  pictures: null,
  answers,
  rule: { name: 'balance' },
  safetyPrompt: SAFETY_PROMPT,
  postEvaluationPrompt: POST_EVALUATION_PROMPT,
  threadCount: 1,
};

const calibration = await calibrate({
  ...OPTIONS,
  pictures: { safe: PICTURES.slice(0, 1), unsafe: PICTURES.slice(1, 2) },
});
const FILE = thresholdsFile(calibration, RUN);
const PATH = written('thresholds.json', JSON.stringify(FILE));

test('answers and pictures are scored as ETA scores them, and the file can be read back', async () => {
  const { decision, clip, rewardModel, unread } = calibration;
  assert.deepEqual([clip, rewardModel, unread], [null, null, []]);
  assert.deepEqual([decision?.answer?.safe.length, decision?.answer?.unsafe.length], [4, 3]);
  assert.deepEqual(decision?.answer?.current, { value: 0, source: 'form' });
  const guard = await tinyGuard(GUARD, tinyForm(), { projector: PROJECTOR });
  const session = guard.open([{ role: 'user', content: question }], async () => []);
  const expected = await session.scores(SAFE);
  session.close();
  await guard.dispose();
  for (const [at, { score }] of (decision?.answer?.safe ?? []).entries())
    assert.ok(Math.abs(score - (expected[at] ?? Number.NaN)) < 2e-2, `16-bit cells: ${score}, with 32 ${expected[at]}`);
  // An answer is safe above its threshold, a picture unsafe from it on.
  for (const [part, isUnsafe] of [
    [decision?.answer, (score: number, threshold: number) => score <= threshold],
    [decision?.picture, (score: number, threshold: number) => score >= threshold],
  ] as const) {
    assert.ok(part);
    const { threshold, own } = part.fit;
    const flagged = (scores: typeof part.safe) =>
      scores.filter(({ score }) => isUnsafe(score, threshold.value)).length / scores.length;
    assert.deepEqual([own.unsafeFound.value, own.safeFlagged.value], [flagged(part.unsafe), flagged(part.safe)]);
  }
  const { decision: read } = await readThresholds(PATH);
  assert.deepEqual(read?.form, { name: 'tiny', wordingSha256: tinyForm().wordingSha256 });
  assert.equal(read?.answer?.safeDecision, Number(decision?.answer?.fit.threshold.value.toPrecision(6)));
  assert.equal(read?.picture?.question, 'What is in this picture?');
  assert.match(read?.guard.sha256 ?? '', /^[0-9a-f]{64}$/);
  const report = calibrationReport(calibration, { ...RUN, startedAt: RUN.endedAt, versions: {}, machine: {} });
  assert.deepEqual(
    report.distributions?.map(({ title }) => title),
    ['Decision about pictures of both classes', 'Decision about answers of both classes'],
  );
});

async function factsOf(options: LoadEtaOptions) {
  await using eta = await loadTiny({
    models: MODELS,
    decision: { form: FORM, guard: GUARD, guardProjector: PROJECTOR },
    thresholdsFile: PATH,
    ...options,
  });
  const { thresholds, thresholdSources, calibratedOn } = eta.facts;
  const { verdict } = await eta.respond({ prompt: question, image: pictures[0], seed: 1 });
  return { thresholds, thresholdSources, calibratedOn, verdict };
}

test('loaded with the file, its thresholds decide, and results say that they were measured', async () => {
  const { thresholds, thresholdSources, calibratedOn, verdict } = await factsOf({});
  assert.equal(thresholds.safeDecision, FILE.decision?.answer?.safeDecision);
  assert.equal(thresholds.unsafeDecision, FILE.decision?.picture?.unsafeDecision);
  assert.deepEqual([thresholdSources.safeDecision, thresholdSources.unsafeDecision], [PATH, PATH]);
  assert.deepEqual([calibratedOn.safeDecision, calibratedOn.unsafeDecision], ['both', 'both']);
  assert.deepEqual([verdict.picture?.isCalibrated, verdict.picture?.calibratedOn], [true, 'both']);
});

test('one-sided ones are told apart; a number goes before the file; what the file lacks is the form’s', async () => {
  const { decision } = FILE;
  const half: ThresholdsFile = {
    ...FILE,
    decision: decision && {
      ...decision,
      picture: null,
      answer: decision.answer && { ...decision.answer, calibratedOn: 'safe' },
    },
  };
  const path = written('half.json', JSON.stringify(half));
  const { thresholdSources, calibratedOn, verdict } = await factsOf({ thresholdsFile: path, method: 'post' });
  assert.deepEqual([thresholdSources.safeDecision, thresholdSources.unsafeDecision], [path, FORM]);
  assert.deepEqual([calibratedOn.safeDecision, calibratedOn.unsafeDecision], ['safe', null]);
  assert.deepEqual([verdict.answer?.isCalibrated, verdict.answer?.calibratedOn], [false, 'safe']);
  const given = await factsOf({ thresholds: { safeDecision: -1e6 } });
  assert.deepEqual([given.thresholdSources.safeDecision, given.calibratedOn.safeDecision], ['option', null]);
});

test('another form, wording, guard or projector is refused before anything is loaded, with both named', async () => {
  const refused = (decision: LoadEtaOptions['decision'], message: RegExp, more: LoadEtaOptions = {}) =>
    assert.rejects(factsOf({ decision, ...more }), { name: 'ModelError', code: 'ERR_MODEL_MISMATCH', message });
  const other = formFile(tinyForm({ policy: 'All is forbidden.' }));
  const both = { guard: GUARD, guardProjector: PROJECTOR };
  await refused(
    { form: other, ...both },
    /expected thresholds of the form tiny \([0-9a-f]{12}…\), received those of tiny/,
  );
  const changed = join(folder, 'changed.gguf');
  const bytes = readFileSync(GUARD);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  await refused({ ...both, form: FORM, guard: changed }, /expected the guard model\.gguf .* received .*changed\.gguf/);
  await refused(
    { ...both, form: FORM, guard: PROJECTOR },
    /expected the guard .* received .*mmproj\.gguf \(\d+ bytes\)/,
  );
  const clip = { ...MODELS, clip: tinyModels.clip };
  await refused({ form: FORM, guard: GUARD }, /expected the guard's projector mmproj\.gguf .* received none/, {
    models: clip,
  });
  // the size alone, where hashes are not checked; the same file elsewhere; a number in the threshold's place
  await factsOf({ decision: { ...both, form: FORM, guard: changed }, verifyHashes: false });
  const copy = join(folder, 'copy.gguf');
  copyFileSync(GUARD, copy);
  await factsOf({ decision: { ...both, form: FORM, guard: copy } });
  const numbers = { thresholds: { safeDecision: 0, unsafeDecision: 0 } };
  await factsOf({ decision: { ...both, form: FORM, guard: changed }, ...numbers });
});

test('what a guard cannot be asked is named; what does not go together is refused first', async () => {
  const mixed = written(
    'mixed.jsonl',
    lines([{ prompt: question, text: 'A red car.' }, { text: 'Without a question.' }]),
  );
  const { unread } = await calibrate({ ...OPTIONS, answers: { ...answers, safe: mixed } });
  assert.equal(unread.length, 1);
  assert.match(unread[0]?.name ?? '', /mixed\.jsonl:2$/);
  assert.match(unread[0]?.reason ?? '', /expected a JSON line with the question too/);
  const refused = async (options: Partial<CalibrateOptions>, message: RegExp) =>
    assert.rejects(calibrate({ ...OPTIONS, ...options }), { code: 'ERR_INVALID_OPTION', message });
  await refused({ decision: await resolveDecision('self') }, /expected the form of a guard, received self/);
  await refused(
    { decision: await resolveDecision({ form: FORM, guard: GUARD }), pictures: { safe: PICTURES, unsafe: PICTURES } },
    /expected CLIP, or a guard that sees pictures, .* without --guard-projector/,
  );
  const byClip = { clip: tinyModels.clip, answers: null, pictures: { safe: PICTURES, unsafe: PICTURES } };
  await refused(byClip, /expected something for the guard to judge, received pictures alone, which CLIP judges/);
  await refused(
    { answers: { safe: answers.safe, unsafe: null } },
    /at least 299 different safe answers .* received 4\./,
  );
});

test('a guard that answers none of it: each is named with what it would rather say', async () => {
  const strict = formFile(tinyForm({ answer: asked({ leastMass: 0.99 }) }));
  const decision = await resolveDecision({ form: strict, guard: GUARD });
  const { unread, decision: found } = await calibrate({ ...OPTIONS, decision });
  assert.equal(unread.length, SAFE.length + UNSAFE.length);
  assert.match(unread[0]?.reason ?? '', /does not answer the question/);
  assert.ok(Number.isNaN(found?.answer?.fit.threshold.value));
});

test('as it is typed', async () => {
  const out = join(folder, 'out');
  const decision = ['--decision', FORM, '--guard', GUARD];
  const sources = ['--safe-answers', answers.safe, '--unsafe-answers', answers.unsafe];
  const { code, stdout, stderr } = await run(['calibrate', ...decision, ...sources, '--out', out]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Decision about answers of model\.gguf \(tiny\): 4 safe, 3 unsafe answers; best balance\nAUC /);
  assert.match(stdout, /\nin force +0 \(form\)/);
  const ask = ['ask', '--language-model', MODELS.languageModel, '--thresholds', join(out, 'thresholds.json')];
  const told = await run([...ask, ...decision, '--max-tokens', '8', '--seed', '1', '--n', '2', question]);
  assert.match(
    told.stderr.replace(/\s+/g, ' '),
    /decision -?\d+\.\d+ (un)?safe \(safe above -?\d+\.\d+, by .*thresholds\.json\)/,
  );
});
