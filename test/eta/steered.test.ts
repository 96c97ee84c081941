/** Answers under a safety vector: what is made, what is told, and what stays as it was. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { settingsOf } from '../../src/batch/index.js';
import type { Eta, EtaRequest, QuestionRequest } from '../../src/index.js';
import { fitMemory, thisMachine } from '../../src/loading/index.js';
import { estimateMemory, modelShapes, resolveModels } from '../../src/models/index.js';
import { POLICIES, rungsOf } from '../../src/policy/index.js';
import { vectorHome, writeVector } from '../../src/steering/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { assertFreed, CLEAN, collect, FLAGGED_SAFE, loadTiny, QUESTION, tinyModels, UNSAFE } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-steered-'));
const path = join(folder, 'vector.gguf');
const STEERED: QuestionRequest = { ...QUESTION, method: 'steered', thresholds: UNSAFE };

let eta: Eta;
before(async () => {
  const home = await vectorHome(tinyModels.languageModel);
  const values = Float32Array.from({ length: home.embeddingSize }, (_, at) => Math.sin(at + 1));
  await writeVector(path, { layer: 1, values }, home);
  eta = await loadTiny({ safetyVector: { path, scale: 2 } });
});
after(async () => {
  await eta.dispose();
  rmSync(folder, { recursive: true });
});

const vanilla = async (asked: EtaRequest = QUESTION) => await eta.respond({ ...asked, method: 'vanilla' });

test('what the gate lets pass is the model’s own answer, and nobody is steered', async () => {
  for (const thresholds of [CLEAN, FLAGGED_SAFE]) {
    const { text, verdict, trace } = await eta.respond({ ...STEERED, thresholds });
    assert.equal(text, (await vanilla()).text);
    assert.deepEqual([verdict.action, trace.rungs], ['answered', undefined]);
  }
});

test('what it distrusts is answered once more under the vector: a rung of its own, judged as every one', async () => {
  const { result, types } = await collect(eta, STEERED);
  const { verdict, trace, usage } = result;
  const [rung, ...others] = trace.rungs ?? [];
  assert.deepEqual([rung?.rung, rung?.prefix, rung?.caption, rung?.rounds, others], ['steered', '', null, [], []]);
  assert.deepEqual([types.includes('round'), types.filter((type) => type === 'rung').length], [false, 1]);
  assert.notEqual(rung?.text, trace.vanillaText, 'the vector tells');
  assert.deepEqual([verdict.action, verdict.final, trace.alignedText], ['refused', rung?.judgement, rung?.text]);
  const own = await vanilla();
  assert.equal(usage.sampledTokenCount, own.usage.sampledTokenCount + (rung?.sampledTokenCount ?? 0));
  assert.ok(usage.promptTokenCount > 2 * own.usage.promptTokenCount - 1, 'the question is read twice');
  const again = await eta.respond({ ...STEERED, reuse: false });
  assert.equal(again.trace.alignedText, rung?.text, 'nothing that was kept decides');
  const safe = await eta.respond({
    ...STEERED,
    thresholds: { ...UNSAFE, safeReward: (rung?.judgement.score ?? 0) - 1 },
  });
  assert.notEqual(safe.verdict.action, 'refused', 'a threshold below its reward lets one of the two through');
  await assertFreed(eta, 'after the requests');
});

test('a vector of almost nothing gives the model’s own answer: the control', async () => {
  await using faint = await loadTiny({ safetyVector: { path, scale: 1e-4 } });
  const { trace } = await faint.respond(STEERED);
  assert.equal(trace.rungs?.[0]?.text, trace.vanillaText);
});

test('it stands on a ladder too, in its place; other methods stay as they were', async () => {
  assert.deepEqual(rungsOf({ ...POLICIES.standard, method: 'steered', ladder: ['caption', 'steered'] }), [
    'steered',
    'caption',
  ]);
  const alone = await eta.respond(STEERED);
  const ladder = await eta.respond({ ...QUESTION, thresholds: UNSAFE, ladder: ['refusingPrefix', 'steered'] });
  assert.deepEqual(
    ladder.verdict.rungs?.map(({ rung }) => rung),
    ['search', 'refusingPrefix', 'steered'],
  );
  assert.equal(ladder.trace.rungs?.[2]?.text, alone.trace.alignedText);
  await using without = await loadTiny();
  for (const method of ['vanilla', 'shallow'] as const) {
    const [one, other] = [await eta.respond({ ...STEERED, method }), await without.respond({ ...STEERED, method })];
    assert.deepEqual([one.text, one.verdict], [other.text, other.verdict], method);
  }
});

test('as the paper has it, what was made again is given out; sentence by sentence it goes on behind what went out', async () => {
  const returned = await eta.respond({ ...STEERED, whenStillUnsafe: 'return' });
  assert.deepEqual([returned.verdict.action, returned.text], ['aligned', returned.trace.rungs?.[0]?.text]);
  const { result, pieces } = await collect(eta, { ...STEERED, release: 'checked' });
  assert.equal(pieces.join(''), result.text);
  assert.equal(result.verdict.rungs?.[0]?.rung, 'steered');
  await assertFreed(eta, 'after it');
});

test('many at once, each with room of its own, end as they do alone; a signal ends one', async () => {
  const questions = ['What is in the picture?', 'Is there a hammer?', 'How many birds are there?', 'Why?'];
  const ask = (prompt: string) => eta.respond({ ...STEERED, prompt });
  const alone: (string | null)[] = [];
  for (const question of questions) alone.push((await ask(question)).trace.alignedText);
  const together = await Promise.all([...questions, ...questions].map(ask));
  assert.deepEqual(
    together.map(({ trace }) => trace.alignedText),
    [...alone, ...alone],
  );
  await assert.rejects(eta.respond({ ...STEERED, signal: AbortSignal.timeout(5) }), { name: 'AbortError' });
  await assertFreed(eta, 'after all');
});

test('what it was loaded with is told, and belongs to the settings of a batch', async () => {
  const { safetyVector } = eta.facts;
  assert.deepEqual([safetyVector?.path, safetyVector?.scale, safetyVector?.layer], [path, 2, 1]);
  const decisions = { seed: 1 };
  const settings = await settingsOf(eta.facts, decisions);
  assert.deepEqual(settings['safetyVector'], { sha256: safetyVector?.sha256, scale: 2 });
  const none = await settingsOf({ ...eta.facts, safetyVector: null }, decisions);
  assert.ok(!('safetyVector' in none), 'what was begun before there was any goes on');
  const home = await vectorHome(tinyModels.languageModel);
  const other = join(folder, 'other.gguf');
  await writeVector(other, { layer: 1, values: new Float32Array(home.embeddingSize).fill(1) }, home);
  await using another = await loadTiny({ method: 'vanilla', safetyVector: { path: other, scale: 2 } });
  assert.notDeepEqual((await settingsOf(another.facts, decisions))['safetyVector'], settings['safetyVector']);
});

test('the context beside the first one is counted before anything is loaded', async () => {
  const shapes = await modelShapes(await resolveModels('miniature'));
  const plan = (safetyVector: object | undefined) => fitMemory(shapes, { safetyVector }, thisMachine()).plan;
  const [plain, steered] = [undefined, { path }].map((choice) => estimateMemory(shapes, plan(choice)));
  const cells = plain?.parts.find(({ name }) => name === 'KV cache')?.ramBytes ?? 0;
  const part = steered?.parts.find(({ name }) => name === 'steered context')?.ramBytes ?? 0;
  assert.ok(cells > 0 && part > cells, 'a cache, and buffers');
  assert.equal(steered?.ramBytes, (plain?.ramBytes ?? 0) + part);
});

const INVALID = 'ERR_INVALID_OPTION';

test('what it needs and is not there, or would judge itself, is refused with what to do', async () => {
  await using without = await loadTiny();
  const lacking = {
    code: INVALID,
    message: /no safety vector was loaded\. Make one with 'eta-vlm steer', and load with/,
  };
  await assert.rejects(without.respond(STEERED), { ...lacking, message: /^request: method: .*no safety vector/ });
  await assert.rejects(without.respond({ ...QUESTION, ladder: ['steered'] }), lacking);
  await assert.rejects(loadTiny({ method: 'steered' }), lacking);
  await assert.rejects(loadTiny({ ladder: ['caption', 'steered'] }), {
    ...lacking,
    message: /^loadEta options: ladder/,
  });
  const { rewardModel: _reward, ...models } = tinyModels;
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const judging = { code: INVALID, message: /judges its own answers/ };
  await assert.rejects(loadTiny({ models, decision, method: 'steered', safetyVector: { path } }), judging);
});

test('a vector that is none, and a scale that changes nothing or everything, are refused', async () => {
  const load = (safetyVector: object) => loadTiny({ safetyVector } as never);
  await assert.rejects(load({ path: `${path}.none` }), { code: 'ERR_MODEL_NOT_FOUND' });
  await assert.rejects(load({ path: tinyModels.languageModel }), { code: 'ERR_MODEL_INVALID' });
  for (const scale of [0, -1, 1001, Number.NaN, '1'])
    await assert.rejects(load({ path, scale }), {
      code: INVALID,
      message: /safetyVector.scale: expected a number above 0/,
    });
  await assert.rejects(load({ path, times: 2 }), { code: 'ERR_UNKNOWN_OPTION' });
  await assert.rejects(load({ path, scale: 1e-30 }), { code: 'ERR_MODEL_MISMATCH', message: /scale is too small/ });
});
