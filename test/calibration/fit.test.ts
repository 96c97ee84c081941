/** Where the cut falls, and what may be said of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CutRule, chooseCut, countsAt, ruleText } from '../../src/calibration/cut.js';
import { type FitOptions, fitThreshold, type Scored } from '../../src/calibration/fit.js';

const BALANCE: CutRule = { name: 'balance' };
const atMost = (most: number): CutRule => ({ name: 'false-positive-rate', most });

/** Scores 0 to 1 in a fixed order without pattern. */
function scores(count: number, from: number, to: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return from + ((to - from) * state) / 2 ** 31;
  });
}

const scored = (values: readonly number[], name: string): Scored[] =>
  values.map((score, index) => ({
    name: `${name}-${index}`,
    score,
    digest: String((index * 7919) % 997).padStart(4, '0'),
  }));

const OPTIONS: FitOptions = { rule: BALANCE, unsafeIs: 'above', current: null, what: 'pictures' };

/** The best of every cut that could be made, tried one by one. */
function bestBy(safe: number[], unsafe: number[], worth: (found: number, flagged: number) => number): number {
  const all = [...safe, ...unsafe].sort((a, b) => a - b);
  const cuts = [...all, (all.at(-1) ?? 0) + 1];
  return Math.max(
    ...cuts.map((cut) => {
      const { unsafeFoundCount, safeFlaggedCount } = countsAt(cut, safe, unsafe);
      return worth(unsafeFoundCount / unsafe.length, safeFlaggedCount / safe.length);
    }),
  );
}

test('classes that do not overlap: the middle between them', () => {
  assert.equal(chooseCut([0.1, 0.2], [0.4, 0.5], BALANCE), 0.30000000000000004);
  assert.equal(chooseCut([0.1, 0.2], [0.4, 0.5], atMost(0)), 0.30000000000000004);
  assert.equal(
    chooseCut([0.1, 0.2], [0.4, 0.5], atMost(0.5)),
    0.30000000000000004,
    'no safe one is given away for nothing',
  );
});

test('no cut is better than the one chosen: every other is tried', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const safe = scores(20 + seed, 0, 0.7, seed);
    const unsafe = scores(50 - seed, 0.3, 1, seed + 1000).map((score) => Math.round(score * 20) / 20); // with ties
    for (const rule of [BALANCE, atMost(0), atMost(0.05), atMost(0.3)]) {
      const worth = (found: number, flagged: number) =>
        rule.name === 'balance' ? found - flagged : flagged > rule.most ? -1 : found;
      const { unsafeFoundCount, safeFlaggedCount } = countsAt(chooseCut(safe, unsafe, rule), safe, unsafe);
      const reached = worth(unsafeFoundCount / unsafe.length, safeFlaggedCount / safe.length);
      assert.ok(Math.abs(reached - bestBy(safe, unsafe, worth)) < 1e-12, `${seed}, ${ruleText(rule)}: ${reached}`);
    }
  }
});

test('scores that are all the same, turned round, or missing', () => {
  assert.equal(countsAt(chooseCut([1, 1], [1, 1], atMost(0)), [1, 1], [1, 1]).safeFlaggedCount, 0);
  const turned = chooseCut([3, 4], [1, 2], BALANCE);
  const counts = countsAt(turned, [3, 4], [1, 2]);
  assert.equal(counts.unsafeFoundCount / 2 - counts.safeFlaggedCount / 2, 0);
  assert.ok(Number.isNaN(chooseCut([], [1], BALANCE)) && Number.isNaN(chooseCut([1], [], BALANCE)), 'no class, no cut');
  assert.throws(() => chooseCut([1], [2], atMost(1.5)), {
    code: 'ERR_INVALID_OPTION',
    message: /0 to 1, received 1.5/,
  });
});

test('a fit of classes that are told apart', async () => {
  const safe = scored(scores(100, 0.05, 0.15, 1), 'safe');
  const unsafe = scored(scores(100, 0.2, 0.3, 2), 'unsafe');
  const { threshold, auc, own, heldOut, current, warnings } = await fitThreshold(safe, unsafe, {
    ...OPTIONS,
    current: 0.12,
  });
  assert.ok(threshold.value > 0.15 && threshold.value < 0.2, `${threshold.value}`);
  assert.ok(threshold.low <= threshold.value && threshold.high >= threshold.value, JSON.stringify(threshold));
  assert.ok(auc.value === 1 && auc.low > 0.9 && auc.low < 1, JSON.stringify(auc));
  assert.deepEqual([own.unsafeFound.value, own.safeFlagged.value], [1, 0]);
  assert.deepEqual([heldOut?.unsafeFound.value, heldOut?.unsafeFound.count, heldOut?.safeFlagged.count], [1, 100, 100]);
  assert.ok((current?.safeFlagged.value ?? 0) > 0.1, 'the threshold in force flags safe ones, and is told so');
  assert.deepEqual(warnings, []);
});

test('a reward runs the other way: safe is above', async () => {
  const safe = scored(scores(60, 0.1, 0.3, 1), 'safe');
  const unsafe = scored(scores(60, -0.3, 0, 2), 'unsafe');
  const { threshold, auc, own } = await fitThreshold(safe, unsafe, { ...OPTIONS, unsafeIs: 'below', what: 'answers' });
  assert.ok(threshold.value > 0 && threshold.value < 0.1, `${threshold.value}`);
  assert.ok(threshold.low <= threshold.value && threshold.high >= threshold.value, JSON.stringify(threshold));
  assert.equal(auc.value, 1);
  assert.deepEqual([own.unsafeFound.value, own.safeFlagged.value], [1, 0]);
});

test('a threshold is praised on its own scores and not on held-out ones: noise tells nothing, and says so', async () => {
  let ownGain = 0;
  let heldOutGain = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const noise = (count: number, from: number) => scored(scores(count, 0, 1, seed * 77 + from), `n${from}`);
    const { own, heldOut, warnings } = await fitThreshold(noise(40, 1), noise(40, 2), OPTIONS);
    ownGain += own.unsafeFound.value - own.safeFlagged.value;
    heldOutGain += (heldOut?.unsafeFound.value ?? 0) - (heldOut?.safeFlagged.value ?? 0);
    if (seed === 3) assert.ok(warnings.length <= 2, warnings.join());
  }
  assert.ok(ownGain / 20 > 0.12, `own ${ownGain / 20}`);
  assert.ok(Math.abs(heldOutGain / 20) < 0.06, `held out ${heldOutGain / 20}`);
});

test('the split is by content: names and the order of files change nothing', async () => {
  const safe = scored(scores(25, 0, 0.6, 5), 'safe');
  const unsafe = scored(scores(25, 0.4, 1, 6), 'unsafe');
  const renamed = [...safe].reverse().map((one) => ({ ...one, name: `other-${one.name}` }));
  assert.deepEqual(
    (await fitThreshold(renamed, unsafe, OPTIONS)).heldOut,
    (await fitThreshold(safe, unsafe, OPTIONS)).heldOut,
  );
});

test('what makes a threshold doubtful is said', async () => {
  const warned = async (safe: number[], unsafe: number[], options: Partial<FitOptions> = {}) =>
    (await fitThreshold(scored(safe, 's'), scored(unsafe, 'u'), { ...OPTIONS, ...options })).warnings.join('\n');
  assert.match(
    await warned([0.1, 0.2], [0.4, 0.5]),
    /Only 2 safe and 2 unsafe pictures: .* The paper took 100 of each/,
  );
  assert.match(await warned([], [0.4]), /received 0 safe and 1 unsafe: there is no threshold/);
  const same = scores(60, 0, 1, 9);
  assert.match(await warned(same, same), /do not tell the classes apart \(AUC 0\.5/);
  assert.match(await warned(scores(60, 0.5, 1, 1), scores(60, 0, 0.4, 2)), /run the wrong way \(AUC 0\).*swapped\?/);
  const high = await warned(scores(40, 0.5, 1, 1), scores(40, 0, 0.4, 2), { rule: atMost(0) });
  assert.match(high, /finds none of the unsafe pictures/);
  assert.match(
    await warned([0.1, 0.2], [0.4, 0.5], { rule: atMost(0.05) }),
    /With 2 safe pictures, a rate of 0\.05 cannot be told from 0/,
  );
  await assert.rejects(warned([Number.NaN], [1]), { code: 'ERR_INVALID_OPTION' });
});

test('one of a class cannot be held out', async () => {
  assert.equal((await fitThreshold(scored([0.1], 's'), scored([0.4, 0.5], 'u'), OPTIONS)).heldOut, null);
});
