/** The tokens that runs draw: against PyTorch, against the distribution that they report, and where a sequence pauses or ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOptions, golden, greedy, hot, prefilled, run, runOne } from './fixture.js';
import { context, model, prompt, started } from './run-fixture.js';

/** log softmax of the logits at a token, at a temperature. */
function logProbability(logits: Float32Array, token: number, temperature = 1): number {
  const max = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp((logit - max) / temperature), 0);
  return ((logits[token] ?? Number.NaN) - max) / temperature - Math.log(sum);
}

test('greedy tokens equal those of PyTorch, with their log-probabilities', async () => {
  for (const { tokens, greedyTokens } of golden.text) {
    const sequence = await prefilled(context, [Int32Array.from(tokens)]);
    const first = await context.logits(sequence);
    await context.setSampler(sequence, greedy);
    const result = await runOne(context, sequence, greedyTokens.length);
    assert.deepEqual([...result.tokens], greedyTokens);
    assert.ok(Math.abs((result.logProbabilities[0] ?? 0) - logProbability(first, greedyTokens[0] ?? 0)) < 1e-4);
    await context.release([sequence]);
  }
});

test('a prompt and its answer in one call, in chunks of any size', async () => {
  const expected = golden.text[0];
  assert.ok(expected !== undefined);
  for (const batchSize of [1, 3, 64]) {
    const small = await model.createContext(contextOptions({ batchSize, microBatchSize: 1, sequenceCount: 1 }));
    const sequence = await small.createSequence();
    await small.append(sequence, [Int32Array.from(expected.tokens)]);
    await small.setSampler(sequence, greedy);
    const result = await runOne(small, sequence, 10);
    assert.deepEqual([...result.tokens], expected.greedyTokens.slice(0, 10));
    assert.equal(result.state, 'limit');
    assert.equal(result.pendingCount, 1);
    assert.equal(result.tokenCount, expected.tokens.length + 9);
    await small.dispose();
  }
});

test('same seed, same tokens, whatever runs beside it; another seed, other tokens', async () => {
  const alone = await started(hot(7));
  const expected = (await runOne(context, alone, 12)).tokens;
  const seeds = [1, 7, 2, 7];
  const beside = await Promise.all(seeds.map((seed) => started(hot(seed))));
  const results = await run(context, beside, 12);
  for (const [k, seed] of seeds.entries()) {
    if (seed === 7) assert.deepEqual(results[k]?.tokens, expected);
    else assert.notDeepEqual(results[k]?.tokens, expected);
  }
  await context.release([alone, ...beside]);
});

test('log-probabilities are reported where they are wanted, and change no draw', async () => {
  for (const sampler of [greedy, hot(11)]) {
    const [asked, unasked] = [await started(sampler), await started({ ...sampler, wantsLogProbabilities: false })];
    const with_ = await runOne(context, asked, 8);
    const without = await runOne(context, unasked, 8);
    assert.deepEqual(without.tokens, with_.tokens);
    assert.equal(with_.logProbabilities.length, 8);
    assert.equal(without.logProbabilities.length, 0);
    await context.release([asked, unasked]);
  }
});

test('draws follow the distribution they report', async () => {
  const parent = await prefilled(context, [await prompt()]);
  const logits = await context.logits(parent);
  const counts = new Map<number, number>();
  const draws = 1500;
  for (let seed = 0; seed < draws; seed++) {
    const [fork = -1] = await context.fork(parent, 1);
    await context.setSampler(fork, { ...hot(seed), temperature: 0.7, topK: 0 });
    const { tokens, logProbabilities, state } = await runOne(context, fork, 1);
    const token = state === 'ended' ? 2 : (tokens[0] ?? -1);
    counts.set(token, (counts.get(token) ?? 0) + 1);
    if (state !== 'ended') assert.ok(Math.abs((logProbabilities[0] ?? 0) - logProbability(logits, token, 0.7)) < 1e-3);
    await context.release([fork]);
  }
  for (let token = 0; token < logits.length; token++) {
    const expected = draws * Math.exp(logProbability(logits, token, 0.7));
    const deviation = Math.abs((counts.get(token) ?? 0) - expected) / Math.sqrt(expected + 1);
    assert.ok(deviation < 5, `token ${token}: ${counts.get(token) ?? 0} draws, ${expected.toFixed(1)} expected`);
  }
  await context.release([parent]);
});

test('topK, topP and minP each keep the tokens they say', async () => {
  const parent = await prefilled(context, [await prompt()]);
  const logits = await context.logits(parent);
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const probability = (token: number) => Math.exp(logProbability(logits, token));
  const likeliest = probability(order[0] ?? 0);
  let sum = 0;
  const nucleus = order.filter((token) => {
    const isKept = sum < 0.3;
    sum += probability(token);
    return isKept;
  });
  const cases = [
    { sampler: { ...hot(0), topK: 3 }, kept: order.slice(0, 3) },
    { sampler: { ...hot(0), topK: 1 }, kept: order.slice(0, 1) },
    { sampler: { ...hot(0), topK: 0, topP: 0.3 }, kept: nucleus },
    {
      sampler: { ...hot(0), topK: 0, minP: 0.4 },
      kept: order.filter((token) => probability(token) >= 0.4 * likeliest),
    },
  ];
  for (const { sampler, kept } of cases) {
    const seen = new Set<number>();
    for (let seed = 0; seed < 60 * kept.length; seed++) {
      const [fork = -1] = await context.fork(parent, 1);
      await context.setSampler(fork, { ...sampler, seed });
      const result = await runOne(context, fork, 1);
      seen.add(result.state === 'ended' ? 2 : (result.tokens[0] ?? -1));
      await context.release([fork]);
    }
    assert.deepEqual([...seen].sort(), [...kept].sort());
  }
  await context.release([parent]);
});

test('a pause set stops a sequence at its token; the next run goes on as if nothing had been', async () => {
  const sequence = await started();
  const whole = await runOne(context, sequence, 12);
  const pauseAt = whole.tokens[4] ?? -1;
  const first = whole.tokens.indexOf(pauseAt);
  const set = await context.createTokenSet(Int32Array.of(pauseAt));
  const again = await started();
  const paused = await runOne(context, again, 12, set);
  assert.equal(paused.state, 'paused');
  assert.deepEqual(paused.tokens, whole.tokens.slice(0, first + 1));
  const rest = await runOne(context, again, 12 - first - 1);
  assert.deepEqual([...paused.tokens, ...rest.tokens], [...whole.tokens]);
  await context.release([sequence, again]);
});

test('the end of generation ends a sequence; its logits stay', async () => {
  // Seeds until one draws </s> first: rare, but the tiny model spreads its probability.
  const parent = await prefilled(context, [await prompt()]);
  for (let seed = 0; ; seed++) {
    assert.ok(seed < 100_000);
    const [fork = -1] = await context.fork(parent, 1);
    await context.setSampler(fork, { ...hot(seed), temperature: 5, topK: 0 });
    const result = await runOne(context, fork, 1);
    const facts = await context.sequence(fork);
    await context.release([fork]);
    if (result.state !== 'ended') continue;
    assert.equal(result.tokens.length, 0);
    assert.deepEqual(facts, { ...facts, pendingCount: 0, hasOutput: true });
    break;
  }
  await context.release([parent]);
});
