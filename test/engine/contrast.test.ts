/** Tokens that are drawn from one sequence held against another: two rows a step, one token for both. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Context, Lease, Model, Sequence } from '../../src/engine/index.js';
import { EXACT, picture, QUESTIONS, started, tinyModel } from './fixture.js';

let model: Model;
let context: Context;

before(async () => {
  model = await tinyModel();
});
beforeEach(async () => {
  context = await model.createContext(EXACT);
});
afterEach(() => context.dispose());
after(() => model.dispose());

const GREEDY = { temperature: 0 };
const WEIGHT = 4;

const tokensOf = async (text: string) => [await model.tokenize(text)];

/** Two sequences of one lease, that read these. */
async function pair(cellCount = 256): Promise<{ lease: Lease; leaning: Sequence; plain: Sequence }> {
  const lease = await context.reserve({ cellCount, sequenceCount: 4 });
  const [leaning, plain] = [await lease.createSequence(), await lease.createSequence()];
  await leaning.prefill(await tokensOf(QUESTIONS[4] ?? ''));
  await plain.prefill(await tokensOf(QUESTIONS[3] ?? ''));
  return { lease, leaning, plain };
}

/** Token by token, from the logits of either. */
async function byHand(leaning: Sequence, plain: Sequence, weight: number, count: number): Promise<number[]> {
  const tokens: number[] = [];
  for (let step = 0; step < count; step++) {
    const [own, other] = [await leaning.logits(), await plain.logits()];
    let best = 0;
    const drawnFrom = own.map((logit, token) => Math.fround(logit + weight * (logit - (other[token] ?? 0))));
    for (const [token, logit] of drawnFrom.entries()) if (logit > (drawnFrom[best] ?? 0)) best = token;
    tokens.push(best);
    for (const sequence of [leaning, plain]) await sequence.append([Int32Array.of(best)]);
  }
  return tokens;
}

test('greedy tokens are those of the logits by hand; without weight those of one sequence alone', async () => {
  const { leaning, plain, lease } = await pair();
  const [own] = await leaning.fork(1);
  assert.ok(own !== undefined);
  const { tokens: alone } = await own.decode({ sampler: GREEDY, maxTokens: 24 });
  await own.release();
  const unweighted = await decodedBeside({ leaning, plain }, 0, 24);
  assert.deepEqual(unweighted, alone);
  const weighted = await decodedBeside({ leaning, plain }, WEIGHT, 24);
  assert.notDeepEqual(weighted, alone, 'control: the weight decides something');
  assert.deepEqual(await byHand(leaning, plain, WEIGHT, weighted.length), weighted);
  await lease.release();
});

/** Of forks, so that the pair stays. */
async function decodedBeside(
  { leaning, plain }: { readonly leaning: Sequence; readonly plain: Sequence },
  weight: number,
  maxTokens: number,
): Promise<readonly number[]> {
  const [[one], [other]] = [await leaning.fork(1), await plain.fork(1)];
  assert.ok(one !== undefined && other !== undefined);
  const { tokens } = await one.decode({ sampler: GREEDY, maxTokens }, { against: other, weight });
  assert.equal(other.tokenCount, plain.tokenCount + tokens.length);
  await one.release();
  await other.release();
  return tokens;
}

test('the other takes the same tokens: it goes on as one that read them', async () => {
  const { leaning, plain, lease } = await pair();
  const before = plain.tokenCount;
  const { tokens } = await leaning.decode({ sampler: GREEDY, maxTokens: 9 }, { against: plain, weight: WEIGHT });
  assert.equal(plain.tokenCount, before + tokens.length);
  const { sequence: fresh, lease: other } = await started(context, [
    ...(await tokensOf(QUESTIONS[3] ?? '')),
    Int32Array.from(tokens),
  ]);
  const [found, wanted] = [await plain.logits(), await fresh.logits()];
  const furthest = found.reduce((most, logit, token) => Math.max(most, Math.abs(logit - (wanted[token] ?? 0))), 0);
  assert.ok(furthest < 1e-4, `${furthest}`);
  await other.release();
  await lease.release();
});

test('drawn by chance: the same seed, the same tokens, whatever runs beside, paused and gone on with', async () => {
  const { leaning, plain, lease } = await pair(600);
  const sampler = { temperature: 1.2, topK: 20, seed: 5 };
  const drawn = async (maxTokens: readonly number[]) => {
    const [[one], [other]] = [await leaning.fork(1), await plain.fork(1)];
    assert.ok(one !== undefined && other !== undefined);
    const tokens: number[] = [];
    for (const [at, most] of maxTokens.entries()) {
      const options = { sampler, isContinued: at > 0, maxTokens: most };
      tokens.push(...(await one.decode(options, { against: other, weight: 1 })).tokens);
    }
    await one.release();
    await other.release();
    return tokens;
  };
  const whole = await drawn([20]);
  const neighbour = await started(context, [await model.tokenize('Beside it.')]);
  const beside = neighbour.sequence.decode({ sampler: { temperature: 1, seed: 1 }, maxTokens: 60 });
  assert.deepEqual(await drawn([7, 1, 12]), whole);
  await beside;
  await neighbour.lease.release();
  await lease.release();
});

test('pictures among what one of them reads', async () => {
  const image = await picture(model);
  const lease = await context.reserve({ cellCount: 256, sequenceCount: 2 });
  const [leaning, plain] = [await lease.createSequence(), await lease.createSequence()];
  await leaning.append([...(await tokensOf('Look:')), image, ...(await tokensOf(' What is it?'))]);
  await plain.append(await tokensOf('What is it?'));
  const { tokens } = await leaning.decode({ sampler: GREEDY, maxTokens: 5 }, { against: plain, weight: 1 });
  assert.ok(tokens.length > 0);
  await lease.release();
});

test('what cannot be held against is refused, and both stay as they were', async () => {
  const { leaning, plain, lease } = await pair();
  const { sequence: stranger, lease: other } = await started(context, await tokensOf('Elsewhere.'));
  const empty = await lease.createSequence();
  const before = [leaning.tokenCount, plain.tokenCount];
  const decode = (against: Sequence, weight = 1) =>
    leaning.decode({ sampler: GREEDY, maxTokens: 3 }, { against, weight });
  for (const against of [leaning, stranger, empty, {} as Sequence])
    await assert.rejects(decode(against), {
      code: 'ERR_INVALID_REQUEST',
      message: /another sequence of the same lease, with something to go on from/,
    });
  for (const weight of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e7])
    await assert.rejects(decode(plain, weight), { code: 'ERR_INVALID_OPTION', message: /a number from 0 to 1000000/ });
  const busy = decode(plain);
  await assert.rejects(plain.decode({ sampler: GREEDY, maxTokens: 1 }), /in the middle of contrast/);
  await busy;
  assert.deepEqual(
    [leaning.tokenCount, plain.tokenCount].map((count, at) => count - (before[at] ?? 0)),
    [3, 3],
  );
  await other.release();
  await lease.release();
});

test('aborted, both are as long as each other and go on', async () => {
  const { leaning, plain, lease } = await pair(900);
  const controller = new AbortController();
  const before = plain.tokenCount - leaning.tokenCount;
  const options = { sampler: { temperature: 1.5, seed: 3 }, maxTokens: 300, signal: controller.signal };
  const running = leaning.decode({ ...options, onText: () => controller.abort() }, { against: plain, weight: 0 });
  await assert.rejects(running, { name: 'AbortError' });
  assert.equal(plain.tokenCount - leaning.tokenCount, before);
  await leaning.decode({ sampler: GREEDY, maxTokens: 3 }, { against: plain, weight: 1 });
  await plain.decode({ sampler: GREEDY, maxTokens: 3 });
  await lease.release();
});

test('a cache without room for both ends it, and says so', async () => {
  const small = await model.createContext({ ...EXACT, contextSize: 256 });
  const lease = await small.reserve({ cellCount: small.facts.cellCount, sequenceCount: 2 });
  const [leaning, plain] = [await lease.createSequence(), await lease.createSequence()];
  const [beginning] = await tokensOf('Go on, and on. '.repeat(40));
  for (const sequence of [leaning, plain]) await sequence.prefill([beginning?.subarray(0, 124) ?? new Int32Array()]);
  const running = leaning.decode({ sampler: GREEDY, maxTokens: 100 }, { against: plain, weight: 0 });
  const ended = await running.then(({ stopReason }) => stopReason).catch((error: { code: string }) => error.code);
  assert.equal(ended, 'ERR_CACHE_FULL');
  assert.equal(leaning.tokenCount, plain.tokenCount);
  await small.dispose();
});
