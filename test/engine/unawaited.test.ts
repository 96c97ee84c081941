/** Calls on one sequence that nobody awaits before the next: each is done or refused, and the counts stay true. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Context, Model, Sequence } from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import { EXACT, picture, started, tinyModel } from './fixture.js';

let model: Model;
let context: Context;

before(async () => {
  model = await tinyModel();
});

// A context for each test: one that fails leaves its lease to nobody.
beforeEach(async () => {
  context = await model.createContext(EXACT);
});

afterEach(() => context.dispose());

after(async () => {
  await model.dispose();
});

function isRefused(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof EtaError && error.code === 'ERR_INVALID_REQUEST' && message.test(error.message);
}

function statuses(outcomes: readonly PromiseSettledResult<unknown>[]): string[] {
  return outcomes.map((outcome) => outcome.status);
}

test('a refused append takes back its own count and no other', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')]);
  const { tokenCount, position } = sequence;
  const [bad, good] = [Int32Array.of(-1, 2), Int32Array.of(5, 6, 7)];
  const orders = [
    [bad, good],
    [good, bad],
    [bad, good, bad],
  ];
  for (const [index, order] of orders.entries()) {
    const outcomes = await Promise.allSettled(order.map((tokens) => sequence.append([tokens])));
    assert.deepEqual(
      statuses(outcomes),
      order.map((tokens) => (tokens === good ? 'fulfilled' : 'rejected')),
    );
    assert.equal(sequence.tokenCount, tokenCount + 3 * (index + 1));
    assert.equal(sequence.position, position + 3 * (index + 1));
  }
  await sequence.prefill([]);
  assert.equal((await context.statistics()).usedCellCount, sequence.tokenCount, 'the addon counts the same');
  await sequence.trim(tokenCount);
  await assert.rejects(sequence.append([bad]), isRefused(/from 0 to 383/));
  await assert.rejects(sequence.decode({ maxTokens: 1 }), isRefused(/trimmed/));
  await lease.release();
});

test('a decode or an append behind a trim that runs is refused, and the trim is done', async () => {
  const image = await picture(model);
  const before = await model.tokenize('The red apple');
  const { lease, sequence } = await started(context, [before, image, await model.tokenize('Tell me about it.')]);
  const after: Record<string, (lane: Sequence) => Promise<unknown>> = {
    decode: (lane) => lane.decode({ maxTokens: 2 }),
    append: (lane) => lane.append([Int32Array.of(5)]),
    prefill: (lane) => lane.prefill([Int32Array.of(5)]),
    fork: (lane) => lane.fork(1),
    trim: (lane) => lane.trim(1),
  };
  for (const [name, call] of Object.entries(after)) {
    const tokenCount = sequence.tokenCount - 1;
    const outcomes = await Promise.allSettled([sequence.trim(tokenCount), call(sequence)]);
    assert.deepEqual(statuses(outcomes), ['fulfilled', 'rejected'], name);
    const [, refused] = outcomes;
    assert.ok(refused.status === 'rejected' && isRefused(/middle of trim/)(refused.reason), name);
    assert.equal(sequence.tokenCount, tokenCount, name);
    assert.equal((await context.statistics()).usedCellCount, tokenCount, name);
    assert.equal((await context.statistics()).liveSequenceCount, 1, name);
  }
  // The way that is right: append anew and go on.
  await sequence.prefill([Int32Array.of(5)]);
  assert.equal((await sequence.decode({ maxTokens: 2 })).tokens.length, 2);
  await lease.release();
  image.dispose();
});
