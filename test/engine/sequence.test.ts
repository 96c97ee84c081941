/** One sequence: what it reads, samples, shares with its forks, and what it refuses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type Context, type Decoded, type Model, type Sequence, TokenText } from '../../src/engine/index.js';
import { EngineError, EtaError, UsageError } from '../../src/errors.js';
import { assertNear, onDevice } from '../device.js';
import { EXACT, golden, picture, started, tinyModel } from './fixture.js';

interface GreedyCase {
  readonly tokens: number[];
  readonly greedyTokens: number[];
  readonly greedyText: string;
  readonly firstLogits: number[];
}

interface PictureCase extends Omit<GreedyCase, 'tokens'> {
  readonly picture: string;
  readonly before: number[];
  readonly after: number[];
}

const numbers: { text: GreedyCase[]; pictures: PictureCase[] } = JSON.parse(
  readFileSync(golden('golden.json'), 'utf8'),
);
const GREEDY = { temperature: 0 };

/** Of a decode that asked for it. */
function logProbabilityOf({ logProbability }: Decoded): number {
  assert.ok(logProbability !== undefined && logProbability <= 0);
  return logProbability;
}

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

function hasCode(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof EtaError && error.code === code && (message?.test(error.message) ?? true);
}

/** Text of tokens; with `isFinal`, an unfinished character at the end is U+FFFD. */
function wholeText(model: Model, tokens: readonly number[], isFinal: boolean): string {
  const reader = new TokenText(model);
  return reader.push(tokens) + (isFinal ? reader.flush() : '');
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0);
}

test("greedy tokens, text and logits equal PyTorch's on text", async () => {
  for (const { tokens, greedyTokens, greedyText, firstLogits } of numbers.text) {
    const { lease, sequence } = await started(context, [Int32Array.from(tokens)]);
    assert.equal(sequence.tokenCount, tokens.length);
    assertNear(largestDifference(await sequence.logits(), firstLogits), 1e-3, 'reference');
    const decoded = await sequence.decode({ sampler: GREEDY, maxTokens: greedyTokens.length });
    assert.deepEqual(decoded.tokens, greedyTokens);
    assert.equal(decoded.text, greedyText);
    assert.equal(decoded.stopReason, 'length');
    assert.equal(sequence.tokenCount, tokens.length + greedyTokens.length);
    await lease.release();
  }
});

test("greedy tokens equal PyTorch's behind pictures", async () => {
  for (const { picture: name, before, after, greedyTokens } of numbers.pictures) {
    const image = await picture(model, name);
    const { lease, sequence } = await started(context, [Int32Array.from(before), image, Int32Array.from(after)]);
    assert.equal(sequence.tokenCount, before.length + image.tokenCount + after.length);
    assert.equal(sequence.position, before.length + image.positionCount + after.length);
    const decoded = await sequence.decode({ sampler: GREEDY, maxTokens: greedyTokens.length });
    assert.deepEqual(decoded.tokens, greedyTokens, name);
    await lease.release();
    image.dispose();
  }
});

test('a fork goes on exactly as its parent would, also when the parent is gone', async () => {
  const prompt = await model.prompt([{ role: 'user', text: 'What is this?' }]);
  const { lease, sequence } = await started(context, prompt, { cellCount: 256, sequenceCount: 4 });
  const expected = await sequence.logits();
  const [first, second, third] = (await sequence.fork(3)) as [Sequence, Sequence, Sequence];
  await sequence.release();
  assertNear(largestDifference(await first.logits(), expected), 0, 'same');
  const options = { sampler: GREEDY, maxTokens: 12 };
  const alone = await first.decode(options);
  const together = await Promise.all([second.decode(options), third.decode(options)]);
  for (const decoded of together) assert.deepEqual(decoded.tokens, alone.tokens);
  await lease.release();
  assert.equal((await context.statistics()).liveSequenceCount, 0);
});

test('forks that differ share nothing but the past', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 256,
    sequenceCount: 9,
  });
  const children = await sequence.fork(8);
  const seeds = children.map((_, index) => ({ temperature: 1.5, topK: 20, seed: 100 + index }));
  const decode = (lane: Sequence, index: number) =>
    lane.decode({ sampler: seeds[index] ?? {}, maxTokens: 10, logProbability: true });
  const together = await Promise.all(children.map(decode));
  assert.ok(new Set(together.map((decoded) => decoded.text)).size > 4, 'seeds make texts differ');
  await Promise.all(children.map((child) => child.release()));
  let equalCount = 0;
  for (const [index, decoded] of together.entries()) {
    const [again] = (await sequence.fork(1)) as [Sequence];
    const alone = await decode(again, index);
    const [unasked] = (await sequence.fork(1)) as [Sequence];
    const plain = await unasked.decode({ sampler: seeds[index] ?? {}, maxTokens: 10 });
    assert.deepEqual([plain.tokens, plain.logProbability], [alone.tokens, undefined]);
    await unasked.release();
    const isEqual = alone.tokens.every((token, at) => token === decoded.tokens[at]);
    if (isEqual) assertNear(Math.abs(logProbabilityOf(alone) - logProbabilityOf(decoded)), 1e-3, 'drawn');
    equalCount += isEqual ? 1 : 0;
    await again.release();
  }
  // On a device a row beside seven others is computed otherwise than alone (test/device.ts): a draw at the edge may differ.
  assert.ok(equalCount >= (onDevice ? 4 : 8), `${equalCount} of 8 alone as beside seven others`);
  await lease.release();
});

test('text appended to undiverged forks, then a winner forked again, equals a straight run', async () => {
  const prompt = await model.prompt([{ role: 'user', text: 'How many birds?' }]);
  const prefix = await model.tokenize('As an AI assistant');
  const { lease, sequence } = await started(context, prompt, { cellCount: 512, sequenceCount: 6 });
  await sequence.append([prefix]);
  let winner = sequence;
  const accepted: number[] = [];
  for (let round = 0; round < 5; round++) {
    const candidates = await winner.fork(4);
    const decoded = await Promise.all(
      candidates.map((lane, k) =>
        lane.decode({ sampler: { temperature: 1.5, topK: 5, seed: round * 10 + k }, maxTokens: 6 }),
      ),
    );
    const chosen = round % candidates.length;
    await Promise.all(candidates.map(async (lane, k) => (k === chosen ? undefined : await lane.release())));
    await winner.release();
    winner = candidates[chosen] as Sequence;
    accepted.push(...(decoded[chosen]?.tokens ?? []));
  }
  const straight = await lease.createSequence();
  await straight.prefill([...prompt, prefix, Int32Array.from(accepted)]);
  assert.equal(winner.tokenCount, straight.tokenCount);
  assertNear(largestDifference(await winner.logits(), await straight.logits()), 1e-4, 'rows');
  await lease.release();
});

test('pause: only at tokens of the set, only when accept says yes', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 256,
    sequenceCount: 4,
  });
  const [whole, paused, never] = (await sequence.fork(3)) as [Sequence, Sequence, Sequence];
  const options = { sampler: GREEDY, maxTokens: 24 };
  const full = await whole.decode(options);
  const wanted = [full.tokens[4], full.tokens[9]] as [number, number];
  const set = await context.createTokenSet(Int32Array.from(new Set(wanted)));
  const seen: string[] = [];
  const stop = full.tokens.lastIndexOf(wanted[1]);
  const pause = {
    set,
    accept: (text: string, tokens: readonly number[]) => {
      seen.push(text);
      assert.ok(set.has(tokens.at(-1) ?? -1));
      return tokens.length > stop;
    },
  };
  const part = await paused.decode({ ...options, pause });
  assert.equal(part.stopReason, 'paused');
  assert.deepEqual(part.tokens, full.tokens.slice(0, stop + 1));
  assert.equal(seen.length, full.tokens.slice(0, stop + 1).filter((token) => set.has(token)).length);
  assert.ok(seen.length >= 2);
  const rest = await paused.decode({ sampler: GREEDY, maxTokens: 24 - part.tokens.length });
  assert.deepEqual([...part.tokens, ...rest.tokens], full.tokens);
  assert.equal(part.text + rest.text, full.text);
  const refused = await never.decode({ ...options, pause: { set, accept: () => false } });
  assert.equal(refused.stopReason, 'length');
  assert.deepEqual(refused.tokens, full.tokens);
  await lease.release();
});

test('continued, it goes on with the generator of the call before, asked on forks meanwhile; anew it draws otherwise', async () => {
  const lease = await context.reserve({ cellCount: 256, sequenceCount: 6 });
  const sequence = await lease.createSequence();
  await sequence.prefill([await model.tokenize('The red apple')]);
  const sampler = { temperature: 1.5, seed: 9 };
  const [straight, parted, anew, never] = (await sequence.fork(4)) as [Sequence, Sequence, Sequence, Sequence];
  const { tokens, text } = await straight.decode({ sampler, maxTokens: 12 });
  const first = await parted.decode({ sampler, maxTokens: 5 });
  const [asked] = (await parted.fork(1)) as [Sequence];
  await asked.decode({ sampler: { temperature: 2, seed: 1 }, maxTokens: 2 });
  await asked.release();
  const rest = await parted.decode({ isContinued: true, maxTokens: 7 });
  assert.deepEqual([...first.tokens, ...rest.tokens], tokens);
  assert.equal(first.text + rest.text, text);
  const begun = await anew.decode({ sampler, maxTokens: 5 });
  const again = await anew.decode({ sampler, maxTokens: 7 });
  assert.notDeepEqual([...begun.tokens, ...again.tokens], tokens, 'the control');
  await assert.rejects(
    never.decode({ isContinued: true, maxTokens: 1 }),
    hasCode('ERR_INVALID_REQUEST', /decoded before, to go on/),
  );
  await lease.release();
});

test('text streams in whole characters', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('日本')], {
    cellCount: 512,
    sequenceCount: 8,
  });
  let characters = 0;
  for (const [seed, lane] of (await sequence.fork(6)).entries()) {
    const pieces: string[] = [];
    const sampler = { temperature: 2, seed };
    const decoded = await lane.decode({ sampler, maxTokens: 40, onText: (text) => pieces.push(text) });
    assert.equal(pieces.join(''), decoded.text);
    assert.ok(pieces.every((piece) => piece !== ''));
    const bytes = Buffer.from(decoded.text, 'utf8');
    assert.equal(bytes.toString('utf8'), decoded.text);
    characters += [...decoded.text].filter((character) => character > '\u007f').length;
  }
  assert.ok(characters > 0, 'the sample holds characters of several bytes');
  await lease.release();
});

test('a character cut by the limit opens the next text, in the sequence and in its forks', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('日本')], {
    cellCount: 512,
    sequenceCount: 3,
  });
  let cuts = 0;
  for (let seed = 0; seed < 30; seed++) {
    const sampler = { temperature: 3, seed };
    const [lane] = (await sequence.fork(1)) as [Sequence];
    const one = await lane.decode({ sampler, maxTokens: 12 });
    const next = await lane.decode({ sampler, maxTokens: 12 });
    assert.equal(one.text + next.text, wholeText(model, [...one.tokens, ...next.tokens], next.stopReason === 'end'));
    if (one.text !== wholeText(model, one.tokens, true)) cuts++;
    await lane.release();
  }
  assert.ok(cuts > 0, 'some limits fall inside a character');
  await lease.release();
});

test('trim, append, save and restore', async () => {
  const prompt = await model.tokenize('The red apple is on the left.');
  const { lease, sequence } = await started(context, [prompt], { cellCount: 512, sequenceCount: 3 });
  const expected = await sequence.logits();
  await sequence.append([await model.tokenize(' More text')]);
  assert.ok(sequence.tokenCount > prompt.length);
  await sequence.trim(prompt.length);
  assert.equal(sequence.tokenCount, prompt.length);
  await sequence.trim(prompt.length - 1);
  await assert.rejects(sequence.decode({ sampler: GREEDY, maxTokens: 1 }), hasCode('ERR_INVALID_REQUEST', /trimmed/));
  await sequence.prefill([prompt.slice(-1)]);
  assertNear(largestDifference(await sequence.logits(), expected), 1e-4, 'rows');
  const bytes = await sequence.save();
  const restored = await lease.restore(bytes);
  assert.equal(restored.tokenCount, sequence.tokenCount);
  assert.equal(restored.position, sequence.position);
  assertNear(largestDifference(await restored.logits(), await sequence.logits()), 0, 'same');
  await assert.rejects(lease.restore(bytes.subarray(0, bytes.length - 9)), hasCode('ERR_INVALID_REQUEST'));
  await lease.release();
});

test('trim takes every count from 0 to tokenCount, pending tokens among them', async () => {
  const prompt = await model.tokenize('The red apple is on the left.');
  const more = Int32Array.of(7, 8, 9, 10);
  const { lease, sequence } = await started(context, [prompt], { cellCount: 128, sequenceCount: 3 });
  for (let kept = 0; kept <= prompt.length + more.length; kept++) {
    const [lane] = (await sequence.fork(1)) as [Sequence];
    await lane.append([more.slice(0, 2)]);
    await lane.append([more.slice(2)]);
    await lane.trim(kept);
    assert.deepEqual([lane.tokenCount, lane.position], [kept, kept]);
    await lane.append([Int32Array.of(5)]);
    const whole = Int32Array.of(...[...prompt, ...more].slice(0, kept), 5);
    const { sequence: alone, lease: other } = await started(context, [whole]);
    assertNear(largestDifference(await lane.logits(), await alone.logits()), 1e-3, 'rows');
    await other.release();
    await lane.release();
  }
  await assert.rejects(sequence.trim(prompt.length + 1), hasCode('ERR_INVALID_REQUEST', /from 0 to/));
  await lease.release();
});

test('what a sequence refuses', async () => {
  const lease = await context.reserve({ cellCount: 64, sequenceCount: 2 });
  const sequence = await lease.createSequence();
  const options = { sampler: GREEDY, maxTokens: 4 };
  await assert.rejects(sequence.decode(options), hasCode('ERR_INVALID_REQUEST', /empty/));
  await assert.rejects(sequence.decode({ maxTokens: 0 }), hasCode('ERR_INVALID_OPTION', /maxTokens.*>= 1/));
  await assert.rejects(
    sequence.decode({ maxTokens: 1, sampler: { temperature: Number.NaN } }),
    hasCode('ERR_INVALID_OPTION', /temperature/),
  );
  await assert.rejects(
    sequence.decode({ maxToken: 1 } as never),
    (error) => error instanceof UsageError && ['ERR_UNKNOWN_OPTION', 'ERR_INVALID_OPTION'].includes(error.code),
  );
  await assert.rejects(sequence.fork(0), hasCode('ERR_INVALID_REQUEST', /fork count/));
  await assert.rejects(
    sequence.fork(2),
    (error) => error instanceof EngineError && error.code === 'ERR_SEQUENCE_LIMIT',
  );
  await assert.rejects(sequence.trim(9), hasCode('ERR_INVALID_REQUEST', /from 0 to 0/));
  await sequence.prefill([await model.tokenize('The red apple')]);
  const more = await model.tokenize('more');
  const running = sequence.decode(options);
  await assert.rejects(sequence.append([more]), hasCode('ERR_INVALID_REQUEST', /middle of decode/));
  await assert.rejects(sequence.decode(options), hasCode('ERR_INVALID_REQUEST', /middle of decode/));
  await assert.rejects(sequence.fork(1), hasCode('ERR_INVALID_REQUEST', /middle of decode/));
  await running;
  await sequence.release();
  await sequence.release();
  await assert.rejects(sequence.decode(options), hasCode('ERR_DISPOSED', /released/));
  await assert.rejects(sequence.prefill([]), hasCode('ERR_DISPOSED', /released/));
  await lease.release();
  await lease.release();
  await assert.rejects(lease.createSequence(), hasCode('ERR_DISPOSED', /lease/));
});

test('a reservation holds behind a fork of many, and while one is on its way', async () => {
  const lease = await context.reserve({ cellCount: 64, sequenceCount: 6 });
  const sequence = await lease.createSequence();
  await sequence.prefill([await model.tokenize('The')]);
  const full = hasCode('ERR_SEQUENCE_LIMIT', /at most 6 sequences at once, as reserved/);
  const coming = sequence.fork(4);
  const refused = assert.rejects(sequence.fork(2), full);
  const children = await coming;
  await refused;
  const last = await lease.createSequence();
  await assert.rejects(lease.createSequence(), full);
  await assert.rejects(sequence.fork(1), full);
  await Promise.all([last, ...children].map((child) => child.release()));
  assert.equal((await sequence.fork(5)).length, 5, 'what was released is room again');
  await assert.rejects(lease.createSequence(), full);
  await lease.release();
});

test('inputs that are none are named', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')]);
  await using other = await tinyModel();
  const [foreign, gone] = [await picture(other), await picture(model)];
  gone.dispose();
  const length = sequence.tokenCount;
  await assert.rejects(sequence.append('x' as never), hasCode('ERR_INVALID_REQUEST', /array of tokens/));
  await assert.rejects(sequence.append([[1, 2] as never]), hasCode('ERR_INVALID_REQUEST', /parts\[0\]/));
  await assert.rejects(sequence.append([Int32Array.of(-1)]), hasCode('ERR_INVALID_REQUEST', /from 0 to 383/));
  await assert.rejects(sequence.prefill([foreign]), hasCode('ERR_INVALID_REQUEST', /another model/));
  await assert.rejects(sequence.append([gone]), hasCode('ERR_DISPOSED', /disposed/));
  assert.equal(sequence.tokenCount, length, 'nothing of it was taken');
  await using second = await model.createContext(EXACT);
  const pause = { set: await second.createTokenSet(Int32Array.of(5)), accept: () => true };
  await assert.rejects(
    sequence.decode({ maxTokens: 2, pause }),
    hasCode('ERR_INVALID_REQUEST', /TokenSet.*of another/),
  );
  await assert.rejects(
    second.createTokenSet(undefined as never),
    hasCode('ERR_INVALID_REQUEST', /Int32Array.*nothing/),
  );
  await assert.rejects(second.createTokenSet([5] as never), hasCode('ERR_INVALID_REQUEST', /Int32Array/));
  const image = await picture(model);
  await sequence.prefill([image]);
  await assert.rejects(sequence.trim(length + 2), hasCode('ERR_INVALID_REQUEST', /inside an image|inside the one/));
  await sequence.trim(length);
  assert.equal(await sequence.decode({ maxTokens: 1 }).catch((error: EtaError) => error.code), 'ERR_INVALID_REQUEST');
  image.dispose();
  foreign.dispose();
  await lease.release();
});

test('a callback that throws ends its own decode only', async () => {
  const { lease, sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 256,
    sequenceCount: 3,
  });
  const [bad, good] = (await sequence.fork(2)) as [Sequence, Sequence];
  const options = { sampler: GREEDY, maxTokens: 16 };
  const outcomes = await Promise.allSettled([
    bad.decode({
      ...options,
      onText: () => {
        throw new RangeError('callback');
      },
    }),
    good.decode(options),
  ]);
  assert.equal(outcomes[0].status, 'rejected');
  assert.ok(outcomes[0].status === 'rejected' && outcomes[0].reason instanceof RangeError);
  assert.equal(outcomes[1].status, 'fulfilled');
  await bad.decode(options); // it stays usable
  await lease.release();
  assert.equal((await context.statistics()).liveSequenceCount, 0);
});
