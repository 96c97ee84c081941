/** Fits and bootstraps against values computed once, draw for draw: a faster way to the same figures must give the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { countsAt } from '../../src/calibration/cut.js';
import { fitThreshold, type Scored } from '../../src/calibration/fit.js';
import { AbortError } from '../../src/errors.js';
import { aucEstimate, bootstrap, kappa, mean } from '../../src/statistics/index.js';

const values = (count: number, step: number, modulus: number) =>
  Array.from({ length: count }, (_, index) => ((index * step) % modulus) / modulus);

const scored = (scores: readonly number[], name: string): Scored[] =>
  scores.map((score, index) => {
    const digest = createHash('sha256').update(`${name}${index}`).digest('hex');
    return { name: `${name}${index}`, score, digest };
  });

const SAFE = values(40, 7, 41);
const UNSAFE = values(30, 11, 37).map((value) => value + 0.4);

test('a fit, unsafe above', async () => {
  const { threshold, auc, own, heldOut, current } = await fitThreshold(scored(SAFE, 's'), scored(UNSAFE, 'u'), {
    rule: { name: 'balance' },
    unsafeIs: 'above',
    current: 0.5,
    what: 'pictures',
  });
  assert.deepEqual(threshold, {
    value: 0.638694792353329,
    low: 0.3829268292682927,
    high: 0.9851021753460778,
    count: 70,
  });
  assert.deepEqual(auc, { value: 0.82, low: 0.695436997514365, high: 0.8972877520626896, count: 70 });
  const shares = [own, heldOut, current].map((rates) => [rates?.unsafeFound.value, rates?.safeFlagged.value]);
  assert.deepEqual(shares, [
    [0.7666666666666667, 0.325],
    [0.5333333333333333, 0.325],
    [0.8666666666666667, 0.475],
  ]);
});

test('the same scores turned round, unsafe below: the threshold in force is turned with them', async () => {
  const turned = (scores: readonly number[]) => scores.map((score) => -score);
  const { threshold, own, heldOut, current } = await fitThreshold(
    scored(turned(SAFE), 's'),
    scored(turned(UNSAFE), 'u'),
    { rule: { name: 'false-positive-rate', most: 0.1 }, unsafeIs: 'below', current: -0.5, what: 'answers' },
  );
  assert.deepEqual(threshold, {
    value: -0.8822676334871458,
    low: -0.9851021753460778,
    high: -0.7550428477257746,
    count: 70,
  });
  const shares = [own, heldOut, current].map((rates) => [rates?.unsafeFound.value, rates?.safeFlagged.value]);
  assert.deepEqual(shares, [
    [0.5, 0.1],
    [0.43333333333333335, 0.125],
    [0.8666666666666667, 0.475],
  ]);
});

test('a score at the cut is at or above it', () => {
  const counts = countsAt(0.5, [0.4, 0.5, 0.6], [0.5, 0.5]);
  assert.deepEqual([counts.safeFlaggedCount, counts.unsafeFoundCount], [2, 2]);
});

test('intervals hold the middle 95 % of the draws', async () => {
  assert.deepEqual(await aucEstimate(UNSAFE, SAFE), {
    value: 0.82,
    low: 0.7133333333333334,
    high: 0.9033333333333333,
    count: 70,
  });
  assert.deepEqual(await bootstrap(SAFE, mean), {
    value: 0.47926829268292687,
    low: 0.3896341463414633,
    high: 0.5695121951219512,
    count: 40,
  });
  const words = ['safe', 'unsafe', 'unjudged'];
  const verdicts = SAFE.map((_, index) => words[(index * index) % 3] ?? '');
  const others = verdicts.map((verdict, index) => (index % 5 === 0 ? 'unjudged' : verdict));
  assert.deepEqual(await kappa(verdicts, others), {
    value: 0.6444444444444444,
    low: 0.45606694560669464,
    high: 0.815668202764977,
    count: 40,
  });
});

test('a fit hears its signal between stretches', async () => {
  const [safe, unsafe] = [scored(values(20_000, 7, 20_011), 's'), scored(values(20_000, 11, 20_011), 'u')];
  const stop = new AbortController();
  const options = { rule: { name: 'balance' }, unsafeIs: 'above', current: null, what: 'pictures' } as const;
  const fit = fitThreshold(safe, unsafe, { ...options, signal: stop.signal });
  setTimeout(() => stop.abort(), 1);
  await assert.rejects(fit, AbortError);
});

test('the low threshold of answers flags none of fewer than 1000 safe ones, and is never above the other', async () => {
  const turned = (scores: readonly number[]) => scores.map((score) => -score);
  const options = { rule: { name: 'balance' }, unsafeIs: 'below', current: null, what: 'answers' } as const;
  const overlapping = await fitThreshold(scored(turned(SAFE), 's'), scored(turned(UNSAFE), 'u'), options);
  const low = overlapping.low?.threshold.value ?? Number.NaN;
  assert.ok(low < overlapping.threshold.value, `${low} below ${overlapping.threshold.value}`);
  assert.ok(low < Math.min(...turned(SAFE)), 'no safe one is at or below it');
  assert.equal(overlapping.low?.own.safeFlagged.value, 0);
  const found = turned(UNSAFE).filter((score) => score <= low).length / UNSAFE.length;
  assert.ok(found > 0 && found < overlapping.own.unsafeFound.value);
  assert.equal(overlapping.low?.own.unsafeFound.value, found);
  const apart = await fitThreshold(scored([3, 4, 5], 's'), scored([0, 1, 2], 'u'), options);
  assert.equal(apart.low?.threshold.value, apart.threshold.value, 'nothing says that it should lie lower');
  const pictures = await fitThreshold(scored(SAFE, 's'), scored(UNSAFE, 'u'), {
    ...options,
    unsafeIs: 'above',
    what: 'pictures',
  });
  assert.equal(pictures.low, null);
});
