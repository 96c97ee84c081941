/** Contexts that keep hidden states in place of logits; test/evaluators/reward-trunk.test.ts shows that the numbers are right. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { NativeHiddenStateContext } from '../../src/native/context-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { assertFar, assertNear } from '../device.js';
import { contextOptions, greedy, loadTiny, maxDifference, prefilled, run, text } from './fixture.js';

let model: NativeModel;
let context: NativeHiddenStateContext;

before(async () => {
  model = await loadTiny();
});
// A context for each test: one that fails leaves its sequences to nobody.
beforeEach(async () => {
  context = await model.createContext(contextOptions({ output: 'hidden-state' }));
});
afterEach(() => context.dispose());
after(() => model.dispose());

const NONE = new Float32Array(0);
const question = () => text(model, 'What colour is the chair?');

test('forks in one batch have the states that they have alone; others have others', async () => {
  const parent = await prefilled(context, [await question()]);
  const endings = [Int32Array.of(17, 290), Int32Array.of(33), Int32Array.of(8, 9, 10)];
  const children = [...(await context.fork(parent, endings.length))];
  await Promise.all(children.map((child, k) => context.append(child, [endings[k] ?? Int32Array.of()])));
  await run(context, children, 0);
  const states = await Promise.all(children.map((child) => context.hiddenState(child)));
  for (const [k, ending] of endings.entries()) {
    const alone = await prefilled(context, [await question(), ending]);
    const expected = await context.hiddenState(alone);
    assert.equal(expected.length, model.facts.embeddingSize);
    assertNear(maxDifference(states[k] ?? NONE, expected), 1e-4, 'cells', `ending ${k}`);
    assertFar(maxDifference(states[(k + 1) % 3] ?? NONE, expected), 1e-2, 'cells', 'the control: another ending');
    await context.release([alone]);
  }
  await context.release([parent, ...children]);
});

test('an input longer than a batch, and many rows of output', async () => {
  const small = await model.createContext(contextOptions({ output: 'hidden-state', batchSize: 8, microBatchSize: 4 }));
  const long = Int32Array.from({ length: 50 }, (_, at) => 20 + at);
  const expected = await context.hiddenState(await prefilled(context, [long]));
  assertNear(
    maxDifference(await small.hiddenState(await prefilled(small, [long])), expected),
    1e-4,
    'cells',
    'the same state',
  );
  await small.dispose();
});

test('a saved sequence keeps its state, for contexts of its own kind alone', async () => {
  const sequence = await prefilled(context, [await question()]);
  const bytes = new Uint8Array(await context.save(sequence));
  const restored = await context.restore(bytes);
  assert.deepEqual(await context.hiddenState(restored), await context.hiddenState(sequence));
  const logits = await model.createContext(contextOptions());
  await assert.rejects(logits.restore(bytes), { code: 'STATE_MISMATCH', message: /output/ });
  await logits.dispose();
  await context.release([sequence, restored]);
});

test('what one kind of context cannot do, the other kind does, and neither has', async () => {
  const logits = await model.createContext(contextOptions());
  assert.equal(context.output, 'hidden-state');
  assert.equal(logits.output, 'logits');
  // @ts-expect-error the compiler says so as well
  assert.equal(context.logits ?? context.setSampler ?? context.createTokenSet, undefined);
  // @ts-expect-error
  assert.equal(logits.hiddenState, undefined);
  const sequence = await prefilled(context, [await question()]);
  const setSampler = logits.setSampler.bind(context as never);
  assert.throws(() => setSampler(sequence, greedy), { name: 'TypeError' }, 'a method of the other kind');
  await assert.rejects(context.run({ entries: [{ sequence, maxTokens: 1, pauseSet: -1 }], stepBudget: 1 }), {
    code: 'INVALID_ARGUMENT',
    message: /Expected a sampler .* in a context with output 'logits'/,
  });
  const empty = await context.createSequence();
  await assert.rejects(context.hiddenState(empty), { code: 'NOTHING_TO_SAMPLE', message: /no hidden state/ });
  assert.throws(() => model.createContext(contextOptions({ output: 'both' as never })), /"logits" or "hidden-state"/);
  await logits.dispose();
  await context.release([sequence, empty]);
});
