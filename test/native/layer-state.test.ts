/**
 * The state behind a layer, and a direction added there. That a state is the right one is known without llama.cpp's word for
 * it: a direction added behind a layer shifts the state read there by exactly itself, leaves those before it alone, and
 * changes all behind it; and the state behind the last layer, put through the model's last norm by hand, is the hidden state.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readGguf } from '../../src/models/gguf-file.js';
import type { NativeContextOptions, NativeSteering } from '../../src/native/context-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { assertFar, assertNear } from '../device.js';
import { contextOptions, folder, greedy, loadTiny, maxDifference, picture, prefilled, run, text } from './fixture.js';

/** Of four layers: three to read and to steer. */
const modelPath = fileURLToPath(new URL('../../models/miniature/language-model.gguf', import.meta.url));
const projectorPath = fileURLToPath(new URL('../../models/miniature/projector.gguf', import.meta.url));

let model: NativeModel;

before(async () => {
  model = await loadTiny({ modelPath, projectorPath });
});
after(() => model.dispose());

const NONE = new Float32Array(0);
const direction = (scale: number) =>
  Float32Array.from({ length: model.facts.embeddingSize }, (_, at) => scale * Math.sin(at + 1));

/** States of prompts, each read alone, of a context with these options. */
async function states(
  options: Partial<NativeContextOptions>,
  prompts: readonly Int32Array[],
): Promise<readonly Float32Array[]> {
  const context = await model.createContext(contextOptions({ ...options, output: 'hidden-state' }));
  const read: Float32Array[] = [];
  for (const prompt of prompts) read.push(await context.hiddenState(await prefilled(context, [prompt])));
  await context.dispose();
  return read;
}

async function logitsOf(steering: NativeSteering | undefined): Promise<Float32Array> {
  const context = await model.createContext(contextOptions({ steering }));
  const logits = await context.logits(await prefilled(context, [await text(model, 'What colour is the chair?')]));
  await context.dispose();
  return logits;
}

const PROMPTS = () =>
  Promise.all(['What colour is the chair?', 'Is there a hammer?'].map((words) => text(model, words)));

test('behind the last norm stands what is behind the last layer, normed', async () => {
  const prompts = await PROMPTS();
  const last = await states({ layer: model.facts.layerCount - 1 }, prompts);
  const normed = await states({}, prompts);
  const weights = await tensorValues('output_norm.weight');
  const epsilon = Number(model.facts.metadata['llama.attention.layer_norm_rms_epsilon']);
  for (const [at, state] of last.entries()) {
    const meanSquare = state.reduce((sum, value) => sum + value * value, 0) / state.length;
    const byHand = state.map((value, k) => (value / Math.sqrt(meanSquare + epsilon)) * (weights[k] ?? Number.NaN));
    assertNear(maxDifference(byHand, normed[at] ?? NONE), 1e-4, 'cells', `prompt ${at}`);
    assertFar(maxDifference(state, normed[at] ?? NONE), 1e-2, 'cells', 'the control: not normed');
  }
});

test('every layer has its own states, whatever the batches, and forks have theirs', async () => {
  const prompts = [...(await PROMPTS()), Int32Array.from({ length: 50 }, (_, at) => 20 + at)];
  let before: readonly Float32Array[] = [];
  for (let layer = 1; layer < model.facts.layerCount; layer++) {
    const alone = await states({ layer }, prompts);
    const small = await states({ layer, batchSize: 16, microBatchSize: 4 }, prompts);
    const context = await model.createContext(contextOptions({ layer, output: 'hidden-state' }));
    const together = await Promise.all(prompts.map(() => context.createSequence()));
    await Promise.all(together.map((sequence, at) => context.append(sequence, [prompts[at] ?? Int32Array.of()])));
    await run(context, together, 0);
    for (const [at, state] of alone.entries()) {
      assertNear(maxDifference(small[at] ?? NONE, state), 1e-4, 'cells', `layer ${layer}, small batches`);
      const among = await context.hiddenState(together[at] ?? -1);
      assertNear(maxDifference(among, state), 1e-4, 'cells', `layer ${layer}, in one batch with others`);
      assertFar(maxDifference(alone[(at + 1) % 3] ?? NONE, state), 1e-3, 'cells', 'the control: another prompt');
      assertFar(maxDifference(before[at] ?? NONE, state), 1e-3, 'cells', 'the control: the layer before');
    }
    await context.dispose();
    before = alone;
  }
});

test('a direction shifts the state behind its layer by itself, none before it, and all that follow', async () => {
  const prompts = await PROMPTS();
  const { layerCount } = model.facts;
  assert.ok(layerCount >= 3, 'layers to tell apart');
  const vector = direction(0.25);
  const at = 1;
  for (let layer = 1; layer < layerCount; layer++) {
    const plain = await states({ layer }, prompts);
    const steered = await states({ layer, steering: { layer: at, vector } }, prompts);
    const later = await states({ layer, steering: { layer: layerCount - 1, vector } }, prompts);
    for (const [k, state] of plain.entries()) {
      const shifted = state.map((value, index) => value + (vector[index] ?? Number.NaN));
      if (layer === at) assertNear(maxDifference(steered[k] ?? NONE, shifted), 1e-6, 'cells', 'shifted by it');
      else assertFar(maxDifference(steered[k] ?? NONE, state), 1e-3, 'cells', 'changed behind it');
      if (layer < layerCount - 1) assert.deepEqual(later[k], state, 'unchanged before it');
    }
  }
});

test('a direction of zeros changes no bit of the logits, another changes them', async () => {
  const plain = await logitsOf(undefined);
  assert.deepEqual(await logitsOf({ layer: 1, vector: direction(0) }), plain);
  assertFar(maxDifference(await logitsOf({ layer: 1, vector: direction(0.25) }), plain), 1e-3, 'cells');
});

test('pictures pass, and tokens are drawn under a direction, beside a context without', async () => {
  const image = await picture(model, 7);
  const prompt = [await text(model, 'Look:'), image];
  const layered = await model.createContext(contextOptions({ layer: 1, output: 'hidden-state' }));
  const state = await layered.hiddenState(await prefilled(layered, prompt));
  assert.ok(state.every(Number.isFinite));
  const tokens: Int32Array[] = [];
  for (const steering of [undefined, { layer: 1, vector: direction(2) }, undefined]) {
    const context = await model.createContext(contextOptions({ steering }));
    const sequence = await prefilled(context, prompt);
    await context.setSampler(sequence, greedy);
    tokens.push((await run(context, [sequence], 12))[0]?.tokens ?? Int32Array.of());
    await context.dispose();
  }
  assert.deepEqual(tokens[0], tokens[2]);
  assert.notDeepEqual(tokens[0], tokens[1]);
  await layered.dispose();
  image.dispose();
});

test('a saved sequence is restored under the same direction alone', async () => {
  const steering = { layer: 1, vector: direction(0.25) };
  const context = await model.createContext(contextOptions({ steering }));
  const bytes = new Uint8Array(await context.save(await prefilled(context, await PROMPTS())));
  await context.restore(bytes);
  for (const other of [undefined, { ...steering, layer: 2 }, { layer: 1, vector: direction(0.5) }]) {
    const elsewhere = await model.createContext(contextOptions({ steering: other }));
    await assert.rejects(elsewhere.restore(bytes), { code: 'STATE_MISMATCH', message: /steering/ });
    await elsewhere.dispose();
  }
  await context.dispose();
});

test('what no model has is refused by name', () => {
  const refused = (options: object, message: RegExp) =>
    assert.throws(() => model.createContext(contextOptions(options)), { code: 'INVALID_ARGUMENT', message });
  const { layerCount, embeddingSize } = model.facts;
  for (const layer of [0, layerCount, -1, 1.5, Number.NaN, '1', null]) {
    const range = new RegExp(`integer from 1 to ${layerCount - 1} for `);
    refused({ output: 'hidden-state', layer }, range);
    refused({ steering: { layer, vector: direction(1) } }, range);
  }
  const finite = new RegExp(`Float32Array of ${embeddingSize} finite numbers for steering.vector`);
  const detached = direction(1);
  structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] });
  for (const vector of [direction(1).slice(1), [...direction(1)], new Float64Array(embeddingSize), detached, undefined])
    refused({ steering: { layer: 1, vector } }, finite);
  refused({ steering: { layer: 1, vector: direction(1).with(3, Number.NaN) } }, /one of them is not finite/);
  refused({ steering: 1 }, /an object for steering/);
});

test('a model of one layer, and one that keeps a running state', async () => {
  const single = await loadTiny({ modelPath: `${folder}tiny-other.gguf`, projectorPath: undefined });
  const options = contextOptions({ output: 'hidden-state', layer: 1 });
  assert.throws(() => single.createContext(options), {
    code: 'INVALID_ARGUMENT',
    message: /no layer of a model of one/,
  });
  await single.dispose();
  const recurrent = fileURLToPath(new URL('../golden/native/recurrent.gguf', import.meta.url));
  const running = await loadTiny({ modelPath: recurrent, projectorPath: undefined });
  assert.throws(() => running.createContext(options), { code: 'INVALID_ARGUMENT', message: /keeps a running state/ });
  await running.dispose();
});

/** A tensor of 32-bit floats, out of the model's file. */
async function tensorValues(name: string): Promise<Float32Array> {
  const tensor = (await readGguf(modelPath)).tensors.find((one) => one.name === name);
  assert.ok(tensor !== undefined && tensor.type === 0, `${name} in 32-bit floats`);
  const bytes = readFileSync(modelPath);
  const values = bytes.subarray(tensor.offset, tensor.offset + tensor.sizeBytes);
  return Float32Array.from({ length: tensor.shape[0] ?? 0 }, (_, at) => values.readFloatLE(4 * at));
}
