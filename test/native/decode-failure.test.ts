/**
 * llama_decode fails in every way, at every place: whoever asked is told, and nothing else has changed. Each case is played
 * twice, with the failure and without, and every number behind it must be the same bit for bit.
 */
import './planted-addon.js'; // before anything loads the addon
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { NativeContext, NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { resultsOf } from '../../src/native/run-results.js';
import type { NativeSamplerOptions } from '../../src/native/run-types.js';
import { contextOptions, greedy, hot, loadTiny, prefilled, run } from './fixture.js';
import { type PlantedFailure, planted, plantedPath } from './planted-addon.js';

const folder = fileURLToPath(new URL('../golden/native/', import.meta.url));

const FORMS = ['causal', 'mrope', 'noncausal', 'recurrent'] as const;
type Form = (typeof FORMS)[number];

const models = new Map<Form, NativeModel>();
const images = new Map<Form, NativeImage>();

before(async () => {
  models.set('causal', await loadTiny());
  for (const form of ['mrope', 'noncausal'] as const) {
    const modelPath = `${folder}${form}.gguf`;
    models.set(form, await loadTiny({ modelPath, projectorPath: `${folder}${form}-projector.gguf` }));
  }
  models.set('recurrent', await loadTiny({ modelPath: `${folder}recurrent.gguf`, projectorPath: undefined }));
  for (const [form, model] of models) {
    if (form === 'recurrent') continue;
    const data = new Uint8Array(300 * 150 * 3).map((_, index) => (index * 7 + Math.floor(index / 97) * 13) % 256);
    images.set(form, await model.encodeImage({ data, width: 300, height: 150 }).image);
  }
});

after(async () => {
  planted.plantFailure();
  for (const model of models.values()) await model.dispose();
});

const tokens = (first: number, count: number) =>
  Int32Array.from({ length: count }, (_, at) => 20 + ((first + at) % 300));

/** Small batches, so that a text takes several decodes and a decode several graphs. */
const SMALL = { batchSize: 8, microBatchSize: 4 };

const WAYS: Record<string, PlantedFailure> = {
  'no slot': { code: 1 },
  'a wrong batch': { code: -1 },
  'no memory before': { code: -2 },
  'no memory within the first graph': { code: -2, rows: 'some', nodes: 20 },
  'a failure in a later graph': { code: -3, rows: 'some', nodes: 150 },
  'a failure behind all': { code: -3, rows: 'all' },
  'an abort that nobody asked for': { code: 2, rows: 'some', nodes: 30 },
  'a code that is not known': { code: 77 },
  'bad_alloc before': { throws: true },
  'bad_alloc within': { throws: true, rows: 'some', nodes: 100 },
  'bad_alloc behind all': { throws: true, rows: 'all' },
};

interface Case {
  readonly form: Form;
  readonly output: 'logits' | 'hidden-state';
  readonly what: 'text' | 'picture';
}

const CASES: Case[] = [
  ...FORMS.map((form) => ({ form, output: 'logits', what: 'text' }) as const),
  ...FORMS.slice(0, 3).map((form) => ({ form, output: 'logits', what: 'picture' }) as const),
  { form: 'causal', output: 'hidden-state', what: 'text' },
  { form: 'noncausal', output: 'hidden-state', what: 'picture' },
];

const nameOf = ({ form, output, what }: Case) => `${form}, ${output}, ${what}`;

function modelOf(form: Form): NativeModel {
  const model = models.get(form);
  if (model === undefined) throw new TypeError(form);
  return model;
}

function partsOf({ form, what }: Case): NativePart[] {
  const image = images.get(form);
  if (what === 'text' || image === undefined) return [tokens(50, 40)];
  return [tokens(1, 3), image, tokens(9, 5)];
}

const entry = (sequence: number, maxTokens = 0) => ({ sequence, maxTokens, pauseSet: -1 });

async function statistics(context: NativeContext) {
  const { usedCellCount, liveSequenceCount, imageCount, stepCount, rowCount } = await context.statistics();
  return { usedCellCount, liveSequenceCount, imageCount, stepCount, rowCount };
}

const output = (context: NativeContext, sequence: number) =>
  context.output === 'logits' ? context.logits(sequence) : context.hiddenState(sequence);

/** Reads the text before a picture, the model's markers included: the next step is the picture's. */
async function readToPicture(case_: Case, context: NativeContext, sequence: number): Promise<void> {
  for (let step = await stepsToPicture(case_); step > 0; step--) {
    await context.run({ entries: [entry(sequence)], stepBudget: 1 });
  }
}

/** Steps of text before the picture, counted in a context of its own. */
async function stepsToPicture(case_: Case): Promise<number> {
  const context = await modelOf(case_.form).createContext(contextOptions({ ...SMALL, output: case_.output }));
  const sequence = await prefilled(context, [tokens(100, 7)]);
  await context.append(sequence, partsOf(case_));
  const positions: number[] = [];
  while ((await context.statistics()).imageCount === 0) {
    positions.push((await context.sequence(sequence)).position);
    await context.run({ entries: [entry(sequence)], stepBudget: 1 });
  }
  await context.dispose();
  // It stands still until the picture's last row is a cell.
  return positions.indexOf(positions.at(-1) ?? -1);
}

/** What a case leaves behind; the failure, if any, comes in the middle. */
async function play(case_: Case, failure?: PlantedFailure, withNeighbour = false) {
  const context = await modelOf(case_.form).createContext(contextOptions({ ...SMALL, output: case_.output }));
  const neighbour = await prefilled(context, [tokens(0, 10)]);
  const subject = await prefilled(context, [tokens(100, 7)]);
  const fork = (await context.fork(subject, 1))[0] ?? -1;
  await context.append(subject, partsOf(case_));
  if (case_.what === 'picture') await readToPicture(case_, context, subject);
  if (withNeighbour) await context.append(neighbour, [tokens(70, 1)]);
  const riding = withNeighbour ? [subject, neighbour] : [subject];
  const all = [neighbour, subject, fork];
  let outcome = 'none';
  if (failure !== undefined) {
    const facts = await Promise.all(all.map((id) => context.sequence(id)));
    const counts = await statistics(context);
    planted.plantFailure(failure);
    outcome = await context.run({ entries: riding.map((id) => entry(id)), stepBudget: 1 }).then(
      (report) =>
        resultsOf(report)
          .map(({ state }) => state)
          .join(' '),
      (error) => error.code,
    );
    assert.equal(planted.planted().failureCount, 1, 'the failure came');
    planted.plantFailure();
    if (case_.form !== 'recurrent') {
      assert.deepEqual(await Promise.all(all.map((id) => context.sequence(id))), facts);
      assert.deepEqual(await statistics(context), counts);
    }
  }
  const lost = (await context.sequence(subject)).tokenCount === 0;
  const numbers: Record<string, Float32Array> = {};
  // The neighbours first: what they compute right behind the failure shows what it left behind.
  if (!withNeighbour) await context.append(neighbour, [tokens(70, 6)]);
  await run(context, [neighbour], 0);
  numbers['neighbour'] = await output(context, neighbour);
  await context.append(fork, [tokens(200, 5)]);
  await run(context, [fork], 0);
  numbers['fork'] = await output(context, fork);
  if (!lost) {
    await run(context, [subject], 0);
    numbers['subject'] = await output(context, subject);
    const facts = await context.sequence(subject);
    const restored = await context.restore(new Uint8Array(await context.save(subject)));
    assert.deepEqual(await context.sequence(restored), facts);
    await context.release([restored]);
    // Back behind the first seven: over the picture, and past its span.
    if (case_.form !== 'recurrent') {
      await context.trim(subject, 7);
      await context.append(subject, [tokens(33, 12)]);
      await run(context, [subject], 0);
      numbers['trimmed'] = await output(context, subject);
      await context.trim(subject, 9);
    }
  }
  const newcomer = await prefilled(context, [tokens(5, 30)]);
  numbers['newcomer'] = await output(context, newcomer);
  await context.release([neighbour, subject, fork, newcomer]);
  const { usedCellCount, liveSequenceCount } = await context.statistics();
  assert.deepEqual({ usedCellCount, liveSequenceCount }, { usedCellCount: 0, liveSequenceCount: 0 });
  await context.dispose();
  return { outcome, numbers, lost };
}

for (const case_ of CASES) {
  test(`${nameOf(case_)}: a failed step changes nothing`, async (t) => {
    const expected = await play(case_);
    // The control: another input gives other numbers.
    assert.notDeepEqual(expected.numbers['subject'], expected.numbers['newcomer']);
    for (const [name, failure] of Object.entries(WAYS)) {
      await t.test(name, async () => {
        const came = await play(case_, failure);
        assert.equal(came.outcome, failure.code === 1 ? 'full' : 'DECODE_FAILED');
        if (case_.form !== 'recurrent') {
          assert.deepEqual(came.numbers, expected.numbers);
          return;
        }
        // A running state cannot be taken back once it was computed: the sequence is empty then, and nobody else is touched.
        assert.equal(came.lost, failure.rows !== undefined);
        for (const key of Object.keys(came.numbers)) assert.deepEqual(came.numbers[key], expected.numbers[key], key);
      });
    }
  });
}

test('a failure in each decode of a picture that takes several', async () => {
  for (const form of ['causal', 'mrope'] as const) {
    const image = images.get(form);
    assert.ok(image !== undefined);
    const read = async (failure?: PlantedFailure) => {
      const context = await modelOf(form).createContext(contextOptions(SMALL));
      const subject = await prefilled(context, [tokens(100, 7)]);
      await context.append(subject, [image]);
      const facts = await context.sequence(subject);
      planted.plantFailure(failure);
      if (failure !== undefined) {
        const [outcome, steps] = await context.run({ entries: [entry(subject)], stepBudget: 99 }).then(
          (report) => [resultsOf(report)[0]?.state, report.stepCount],
          (error) => [error.code, 0],
        );
        assert.equal(planted.planted().failureCount, 1, 'the failure came');
        const isWhole = steps === 0;
        const stopped = failure.code === 1 ? 'full' : isWhole ? 'DECODE_FAILED' : 'running';
        assert.equal(outcome, stopped);
        if (isWhole) assert.deepEqual(await context.sequence(subject), facts);
        assert.equal((await context.statistics()).usedCellCount, (await context.sequence(subject)).tokenCount);
      }
      await run(context, [subject], 0);
      const { decodeCount } = planted.planted();
      const logits = await context.logits(subject);
      await context.dispose();
      return { logits, decodeCount };
    };
    const expected = await read();
    assert.ok(expected.decodeCount > 1, `${form}: ${expected.decodeCount} decodes`);
    for (let decode = 1; decode <= expected.decodeCount; decode++) {
      for (const failure of [{ code: -3, rows: 'some', nodes: 30 }, { throws: true }, { code: 1 }] as const) {
        const came = await read({ ...failure, decode });
        assert.deepEqual(came.logits, expected.logits);
      }
    }
  }
});

test('a failure that stays is met though a picture takes several steps, of which the first were well', async () => {
  const image = images.get('causal');
  assert.ok(image !== undefined);
  const context = await modelOf('causal').createContext(contextOptions(SMALL));
  const subject = await context.createSequence();
  await context.append(subject, [image]);
  const facts = await context.sequence(subject);
  planted.plantFailure({ code: -3, decode: 2, count: 100 });
  const report = await context.run({ entries: [entry(subject)], stepBudget: 99 });
  assert.deepEqual([report.stepCount, resultsOf(report)[0]?.state], [1, 'running']);
  assert.deepEqual(await context.sequence(subject), facts, 'the picture is pending as a whole again');
  assert.equal((await context.statistics()).usedCellCount, 0);
  await assert.rejects(context.run({ entries: [entry(subject)], stepBudget: 99 }), { code: 'DECODE_FAILED' });
  assert.deepEqual(await context.sequence(subject), facts);
  planted.plantFailure();
  await context.dispose();
});

test('sequences in one step with the one that fails keep their input, and the same numbers', async () => {
  for (const output of ['logits', 'hidden-state'] as const) {
    const case_: Case = { form: 'causal', output, what: 'text' };
    const expected = await play(case_, undefined, true);
    for (const failure of Object.values(WAYS)) {
      const came = await play(case_, failure, true);
      assert.equal(came.outcome, failure.code === 1 ? 'full full' : 'DECODE_FAILED');
      assert.deepEqual(came.numbers, expected.numbers);
    }
  }
});

test('what earlier steps sampled reaches its owner, and the draws go on as if nothing had been', async () => {
  const model = modelOf('causal');
  /** Twenty tokens, with a failure on the way. */
  const draw = async (sampler: NativeSamplerOptions, failure?: PlantedFailure) => {
    const context = await model.createContext(contextOptions());
    const parent = await prefilled(context, [tokens(0, 10)]);
    const [lane = -1] = await context.fork(parent, 1);
    await context.setSampler(lane, sampler);
    planted.plantFailure(failure);
    // The first token is drawn without a decode.
    const report = await context.run({ entries: [entry(lane, 20)], stepBudget: 19 });
    const [first] = resultsOf(report);
    const results = [first];
    if (failure !== undefined) {
      assert.equal(report.stepCount, (failure.decode ?? 1) - 1);
      assert.equal(first?.tokens.length, failure.decode, 'the tokens of the steps before');
      assert.equal(first?.state, 'running');
      results.push((await run(context, [lane], 20 - (first?.tokens.length ?? 0)))[0]);
    }
    await context.dispose();
    return {
      tokens: results.flatMap((result) => [...(result?.tokens ?? [])]),
      logProbabilities: results.flatMap((result) => [...(result?.logProbabilities ?? [])]),
    };
  };
  for (const sampler of [greedy, hot(7)]) {
    const expected = await draw(sampler);
    assert.equal(expected.tokens.length, 20);
    for (const decode of [1, 2, 5]) {
      for (const failure of [{ code: -3, rows: 'all' }, { throws: true }] as const) {
        assert.deepEqual(await draw(sampler, { ...failure, decode }), expected);
      }
    }
  }
  // A failure that stays is met in the first step of the next run.
  const context = await model.createContext(contextOptions());
  const failing = await prefilled(context, [tokens(0, 10)]);
  await context.setSampler(failing, greedy);
  planted.plantFailure({ code: -3, decode: 3, count: 100 });
  const report = await context.run({ entries: [entry(failing, 20)], stepBudget: 19 });
  assert.equal(resultsOf(report)[0]?.tokens.length, 3);
  await assert.rejects(context.run({ entries: [entry(failing, 17)], stepBudget: 19 }), { code: 'DECODE_FAILED' });
  planted.plantFailure();
  await context.dispose();
});

test('the addon that is shipped has none of this', () => {
  const shipped = fileURLToPath(new URL('../../build/Release/eta-vlm.node', import.meta.url));
  const words = ['plantFailure', 'planted_llama_decode', 'holdDecodes', 'plantAllocation'];
  const found = (path: string) => words.filter((word) => readFileSync(path).includes(word));
  assert.deepEqual(found(shipped), []);
  assert.deepEqual(found(plantedPath), words, 'the control');
});

test('the error says what llama.cpp returned, and where the sequences stand', async () => {
  const context = await modelOf('causal').createContext(contextOptions());
  const sequence = await context.createSequence();
  await context.append(sequence, [tokens(0, 4)]);
  planted.plantFailure({ code: -3 });
  await assert.rejects(context.run({ entries: [entry(sequence)], stepBudget: 1 }), {
    code: 'DECODE_FAILED',
    message: /llama_decode returned -3: .*stand where they stood before/,
  });
  planted.plantFailure({ throws: true });
  await assert.rejects(context.run({ entries: [entry(sequence)], stepBudget: 1 }), {
    code: 'DECODE_FAILED',
    message: /memory/,
  });
  planted.plantFailure();
  await context.dispose();
});

/** Waits until a run of the addon stands in a decode. */
async function isWaiting(): Promise<void> {
  while (!planted.planted().isWaiting) await new Promise((resolve) => setImmediate(resolve));
}

for (const who of ['context', 'model'] as const) {
  test(`dispose of the ${who} is heard within one step`, async () => {
    const model = await loadTiny();
    const context = await model.createContext(contextOptions());
    const sequence = await context.createSequence();
    await context.append(sequence, [tokens(0, 40)]);
    planted.plantFailure();
    planted.holdDecodes(true);
    const running = context.run({ entries: [entry(sequence)], stepBudget: 1 });
    const refused = assert.rejects(running, { code: 'DISPOSED' });
    await isWaiting();
    const disposed = who === 'context' ? context.dispose() : model.dispose();
    planted.holdDecodes(false);
    await refused;
    await disposed;
    assert.equal(planted.planted().lastCode, 2, 'llama.cpp stopped in the middle');
    await model.dispose();
  });
}
