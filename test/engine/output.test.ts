/** A context keeps logits or hidden states; what the other kind can do is refused before anything is computed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Model } from '../../src/engine/index.js';
import { EXACT, tinyModel } from './fixture.js';

let model: Model;

before(async () => {
  model = await tinyModel({ projectorPath: undefined });
});
after(() => model.dispose());

const refused = (message: RegExp) => ({ name: 'UsageError', code: 'ERR_INVALID_REQUEST', message });

test('no tokens are drawn from hidden states', async () => {
  await using context = await model.createContext({ ...EXACT, output: 'hidden-state' });
  await using lease = await context.reserve({ cellCount: 32, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([Int32Array.of(1, 20, 21)]);
  const needsLogits = refused(/'logits', received one that keeps hidden states/);
  // @ts-expect-error: types refuse it too
  await assert.rejects(sequence.decode({ maxTokens: 1 }), needsLogits);
  // @ts-expect-error: types refuse it too
  await assert.rejects(sequence.logits(), needsLogits);
  // @ts-expect-error: types refuse it too
  await assert.rejects(context.createTokenSet(Int32Array.of(1)), needsLogits);
  assert.equal((await sequence.hiddenState()).length, model.facts.embeddingSize);
});

test('no hidden state is read where logits are kept', async () => {
  await using context = await model.createContext(EXACT);
  await using lease = await context.reserve({ cellCount: 32, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([Int32Array.of(1, 20, 21)]);
  // @ts-expect-error: types refuse it too
  await assert.rejects(sequence.hiddenState(), refused(/'hidden-state', received one that keeps logits/));
  assert.equal((await sequence.logits()).length, model.facts.vocabularySize);
});
