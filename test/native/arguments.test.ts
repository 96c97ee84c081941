import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeModel, NativeTextPiece } from '../../src/native/model-types.js';
import { binding, contextOptions, greedy, loadTiny, modelOptions, picture, TOKENIZE } from './fixture.js';

let model: NativeModel;
let context: NativeLogitsContext;

before(async () => {
  model = await loadTiny();
});
// A context for each test: one that fails leaves its sequences to nobody.
beforeEach(async () => {
  context = await model.createContext(contextOptions());
});
afterEach(() => context.dispose());
after(() => model.dispose());

/** Thrown at once, named in the message. */
function refuses(call: () => unknown, name: RegExp) {
  assert.throws(call, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'INVALID_ARGUMENT', error.message);
    assert.match(error.message, name);
    return true;
  });
}

test('pieces that append themselves while they are read are not read on', async () => {
  let readCount = 0;
  const pieces: NativeTextPiece[] = [];
  const piece = (): NativeTextPiece => ({
    get text() {
      if (readCount++ < 1000) pieces.push(piece());
      return 'a';
    },
    parseSpecial: false,
  });
  pieces.push(piece());
  await model.tokenize(pieces, TOKENIZE).tokens;
  assert.ok(readCount <= 2, `${readCount} texts of one`);
});

test('a piece that is none is named by its place', () => {
  const good = { text: 'a', parseSpecial: false };
  refuses(() => model.tokenize([good, 1 as never], TOKENIZE), /for pieces\[1\]/);
  refuses(() => model.tokenize([good, { ...good, text: 1 as never }], TOKENIZE), /for pieces\[1\]\.text/);
  refuses(
    () => model.tokenize([good, { ...good, parseSpecial: 1 as never }], TOKENIZE),
    /for pieces\[1\]\.parseSpecial/,
  );
});

const NO_COUNTS = [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, '1', null, undefined, {}, 2 ** 53, 1n];

test('numbers that are none, negative, broken or of another type are refused by name', () => {
  for (const bad of NO_COUNTS) {
    const value = bad as never;
    refuses(() => context.append(value, []), /for sequence/);
    refuses(() => context.fork(value, 1), /for sequence/);
    refuses(() => context.fork(1, value), /for count/);
    refuses(() => context.trim(1, value), /for tokenCount/);
    refuses(() => context.release([value]), /for sequence/);
    refuses(() => context.logits(value), /for sequence/);
    refuses(() => context.save(value), /for sequence/);
    refuses(() => context.sequence(value), /for sequence/);
    refuses(() => context.setSampler(value, greedy), /for sequence/);
    refuses(() => context.setSampler(1, { ...greedy, seed: value }), /for seed/);
    refuses(() => context.setSampler(1, { ...greedy, topK: value }), /for topK/);
    refuses(() => context.run({ entries: [], stepBudget: value }), /for stepBudget/);
    const entries = (part: object) => [{ sequence: 1, maxTokens: 0, pauseSet: -1, ...part }];
    refuses(() => context.run({ entries: entries({ sequence: value }), stepBudget: 1 }), /entries\[0\]\.sequence/);
    refuses(() => context.run({ entries: entries({ maxTokens: value }), stepBudget: 1 }), /entries\[0\]\.maxTokens/);
    if (bad !== -1) {
      refuses(() => context.run({ entries: entries({ pauseSet: value }), stepBudget: 1 }), /entries\[0\]\.pauseSet/);
      refuses(() => binding.loadModel(modelOptions({ gpuLayerCount: value })), /for gpuLayerCount/);
    }
    refuses(() => binding.loadModel(modelOptions({ threadCount: value })), /for threadCount/);
    refuses(() => model.tokenBytes(value, true), /for token/);
    for (const name of ['cellCount', 'sequenceCount', 'batchSize', 'microBatchSize', 'threadCount'] as const) {
      refuses(() => model.createContext(contextOptions({ [name]: value })), new RegExp(`for ${name}`));
    }
  }
  for (const bad of [Number.NaN, -0.1, 1.1, '0.5', null]) {
    refuses(() => context.setSampler(1, { ...greedy, topP: bad as never }), /for topP/);
    refuses(() => context.setSampler(1, { ...greedy, minP: bad as never }), /for minP/);
    if (bad !== 1.1) refuses(() => context.setSampler(1, { ...greedy, temperature: bad as never }), /for temperature/);
  }
  refuses(() => context.setSampler(1, { ...greedy, topP: 0 }), /for topP/);
  refuses(() => context.setSampler(1, { ...greedy, wantsLogProbabilities: 1 as never }), /for wantsLogProbabilities/);
});

test('ranges that llama.cpp would abort on are refused', () => {
  refuses(() => model.createContext(contextOptions({ sequenceCount: 257 })), /for sequenceCount/);
  refuses(() => model.createContext(contextOptions({ cellCount: 0 })), /for cellCount/);
  refuses(() => model.createContext(contextOptions({ batchSize: 8, microBatchSize: 9 })), /for microBatchSize/);
  refuses(() => model.tokenBytes(384, true), /for token/);
  refuses(() => context.append(1, [Int32Array.of(0, 384)]), /parts\[0\].*384/);
  refuses(() => context.append(1, [Int32Array.of(-1)]), /parts\[0\].*-1/);
  refuses(() => context.createTokenSet(Int32Array.of(999)), /999/);
});

test('values of another kind are refused by name', () => {
  for (const bad of [undefined, null, 3, 'x', [], () => undefined]) {
    const value = bad as never;
    refuses(() => context.run(value), /for options/);
    refuses(() => context.setSampler(1, value), /for options/);
    refuses(() => model.createContext(value), /for options/);
    refuses(() => model.tokenize([], value), /for options/);
    refuses(() => model.encodeImage(value), /for image/);
    refuses(() => binding.loadModel(value), /for options/);
  }
  refuses(() => context.append(1, 'x' as never), /for parts/);
  refuses(() => context.append(1, [[1, 2]] as never), /parts\[0\]/);
  refuses(() => context.append(1, [new Uint8Array(3)] as never), /parts\[0\]/);
  refuses(() => context.append(1, [{ tokenCount: 3 }] as never), /parts\[0\]/);
  refuses(() => context.release(1 as never), /for sequences/);
  refuses(() => context.restore('bytes' as never), /for bytes/);
  refuses(() => model.tokenize('x' as never, TOKENIZE), /for pieces/);
  refuses(() => model.tokenize(['x'] as never, TOKENIZE), /for pieces\[0\]/);
  refuses(() => model.tokenize([{ text: 3 as never, parseSpecial: true }], TOKENIZE), /for pieces\[0\]\.text/);
  refuses(() => model.tokenize([{ text: 'x', parseSpecial: 1 as never }], TOKENIZE), /for pieces\[0\]\.parseSpecial/);
  refuses(() => model.tokenize([], { ...TOKENIZE, isContinued: 1 as never }), /for isContinued/);
  refuses(() => model.tokenize([], { ...TOKENIZE, maxTokens: -1 }), /for maxTokens/);
  refuses(() => model.tokenize([], { ...TOKENIZE, sliceBytes: 0 }), /for sliceBytes/);
  refuses(() => model.createContext(contextOptions({ flashAttention: 'yes' as never })), /"auto", "on" or "off"/);
  refuses(() => model.createContext(contextOptions({ cacheType: 'q4_0' as never })), /for cacheType/);
  refuses(() => binding.loadModel(modelOptions(), 3 as never), /for onProgress/);
  refuses(() => binding.setLogLevel('loud' as never), /for level/);
  if (binding.build.route === 'source') refuses(() => binding.loadBackend('none.so'), /--prebuilt/);
});

test('an image of another model, or one that is disposed of, is refused', async () => {
  const other = await loadTiny();
  const foreign = await picture(other, 3);
  const sequence = await context.createSequence();
  refuses(() => context.append(sequence, [foreign]), /another model/);
  const own = await picture(model, 3);
  await context.append(sequence, [own]);
  own.dispose();
  assert.throws(() => context.append(sequence, [own]), { code: 'DISPOSED' });
  await context.run({ entries: [{ sequence, maxTokens: 0, pauseSet: -1 }], stepBudget: 9 });
  assert.equal((await context.sequence(sequence)).tokenCount, 16);
  await other.dispose();
  assert.throws(() => context.append(sequence, [foreign]), { code: 'DISPOSED' });
});

test('methods on foreign receivers and constructors called by hand throw', () => {
  assert.throws(() => model.tokenize.call({} as never, [], TOKENIZE));
  assert.throws(() => context.createSequence.call(model as never));
  for (const object of [model, context]) {
    const made = object.constructor as new (...args: unknown[]) => unknown;
    assert.throws(() => new made(), /are made by/);
    assert.throws(() => new made({}), /are made by/);
  }
});
