/** Figures against scipy, statsmodels and numpy (test/golden/statistics/record.py), and what none of them may do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  auc,
  aucEstimate,
  aucScoreEstimate,
  bootstrap,
  bootstrapOfTwo,
  groupBy,
  kappa,
  mcnemar,
  mean,
  median,
  pairedCounts,
  pairedDifference,
  quantile,
  rate,
  rateOfCounts,
} from '../../src/statistics/index.js';

interface Golden {
  readonly wilson: readonly { hits: number; count: number; low: number; high: number }[];
  readonly mcnemar: readonly {
    firstOnly: number;
    otherOnly: number;
    exact: number;
    midP: number;
    chiSquare: number;
    chiSquareP: number;
  }[];
  readonly pairedDifference: readonly {
    both: number;
    firstOnly: number;
    otherOnly: number;
    neither: number;
    value: number;
    low: number;
    high: number;
  }[];
  readonly auc: readonly {
    positive: number[];
    negative: number[];
    value: number;
    low: number;
    high: number;
    bootstrapLow: number;
    bootstrapHigh: number;
  }[];
  readonly kappa: readonly { first: string[]; other: string[]; kappa: number }[];
  readonly quantiles: readonly { values: number[]; shares: number[]; quantiles: number[] }[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/statistics/golden.json', import.meta.url), 'utf8')) as Golden;

function near(received: number, expected: number, tolerance = 1e-6, what = ''): void {
  assert.ok(Math.abs(received - expected) <= tolerance, `${what} expected ${expected}, received ${received}`);
}

/** Relative, for p values of any size. */
function close(received: number, expected: number, what: string): void {
  near(received, expected, 1e-9 * Math.max(expected, 1e-290), what);
}

test("Wilson's interval equals statsmodels'", () => {
  assert.ok(golden.wilson.length >= 10, 'cases');
  for (const { hits, count, low, high } of golden.wilson) {
    const found = rateOfCounts(hits, count);
    near(found.value, hits / count);
    near(found.low, low, 1e-6, `${hits} of ${count}, low`);
    near(found.high, high, 1e-6, `${hits} of ${count}, high`);
    if (count > 1000) continue;
    const same = rate(Array.from({ length: count }, (_, index) => index < hits));
    assert.deepEqual(same, found);
  }
});

test('a rate of nothing is unknown; of all or none it is no certainty', () => {
  assert.deepEqual(rateOfCounts(0, 0), { value: Number.NaN, low: 0, high: 1, count: 0 });
  assert.deepEqual(rate([]), { value: Number.NaN, low: 0, high: 1, count: 0 });
  const none = rateOfCounts(0, 20);
  assert.equal(none.low, 0);
  assert.ok(none.high > 0.1, `${none.high}`);
  const all = rateOfCounts(20, 20);
  assert.equal(all.high, 1);
  assert.ok(all.low < 0.9, `${all.low}`);
});

test('a rate of means counts each item once', () => {
  const found = rate([0.5, 0.5, 1, 0]);
  assert.equal(found.value, 0.5);
  assert.equal(found.count, 4);
});

test('NaN and what cannot be a count are refused by name', async () => {
  const refused = { name: 'UsageError', code: 'ERR_INVALID_OPTION' };
  assert.throws(() => rate([true, Number.NaN]), { ...refused, message: /rate: expected finite.*NaN at index 1/ });
  assert.throws(() => rate([2]), { ...refused, message: /0 to 1, received 2/ });
  assert.throws(() => rateOfCounts(3, 2), { ...refused, message: /at most 2 hits, received 3/ });
  assert.throws(() => rateOfCounts(-1, 2), { ...refused, message: /hitCount: .*received -1/ });
  assert.throws(() => rateOfCounts(0.5, 2), refused);
  assert.throws(() => auc([Number.NaN], [1]), { ...refused, message: /auc: positive/ });
  await assert.rejects(aucEstimate([1], [Number.POSITIVE_INFINITY]), { ...refused, message: /auc: negative/ });
  assert.throws(() => quantile([1], 1.5), { ...refused, message: /share: expected 0 to 1/ });
  assert.throws(() => median([1, Number.NaN]), refused);
  assert.throws(() => mcnemar({ firstOnly: 1.5, otherOnly: 0 }), refused);
  assert.throws(() => pairedDifference({ both: 1, firstOnly: -1, otherOnly: 0, neither: 0 }), refused);
  assert.throws(() => pairedCounts([true], []), { ...refused, message: /received 1 and 0/ });
  await assert.rejects(kappa(['safe'], []), refused);
});

test("McNemar's tests equal statsmodels' and scipy's", () => {
  assert.ok(golden.mcnemar.length >= 10, 'cases');
  for (const { firstOnly, otherOnly, exact, midP, chiSquare, chiSquareP } of golden.mcnemar) {
    const what = `${firstOnly} against ${otherOnly}:`;
    const found = mcnemar({ firstOnly, otherOnly });
    close(found.exact, exact, `${what} exact`);
    close(found.midP, midP, `${what} mid-p`);
    if (firstOnly !== otherOnly) near(found.chiSquare, chiSquare, 1e-9, `${what} chi-square`);
    if (firstOnly !== otherOnly) near(found.chiSquareP, chiSquareP, 1e-9 * chiSquareP + 1e-12, `${what} its p`);
    assert.deepEqual(mcnemar({ firstOnly: otherOnly, otherOnly: firstOnly }), found, `${what} is symmetric`);
  }
});

test('methods that never differ give no reason to tell them apart', () => {
  const found = mcnemar({ firstOnly: 0, otherOnly: 0 });
  assert.deepEqual(found, { exact: 1, midP: 1, chiSquare: 0, chiSquareP: 1, discordantCount: 0 });
});

test('paired differences equal the golden ones, and turn with the order', () => {
  for (const { value, low, high, ...counts } of golden.pairedDifference) {
    const found = pairedDifference(counts);
    near(found.value, value);
    near(found.low, low, 1e-6, `${JSON.stringify(counts)} low`);
    near(found.high, high, 1e-6, `${JSON.stringify(counts)} high`);
    const turned = pairedDifference({ ...counts, firstOnly: counts.otherOnly, otherOnly: counts.firstOnly });
    near(turned.low, -found.high, 1e-12);
    near(turned.high, -found.low, 1e-12);
  }
  assert.deepEqual(pairedDifference({ both: 0, firstOnly: 0, otherOnly: 0, neither: 0 }), {
    value: Number.NaN,
    low: -1,
    high: 1,
    count: 0,
  });
});

test('pairs are counted by what each item did', () => {
  const first = [true, true, false, false, true];
  const other = [true, false, true, false, false];
  assert.deepEqual(pairedCounts(first, other), { both: 1, firstOnly: 2, otherOnly: 1, neither: 1 });
});

test("AUC equals scipy's U, its interval the formula solved by scipy, its bootstrap scipy's roughly", async () => {
  for (const { positive, negative, value, low, high, bootstrapLow, bootstrapHigh } of golden.auc) {
    near(auc(positive, negative), value, 1e-12);
    const scored = aucScoreEstimate(positive, negative);
    near(scored.low, low, 1e-6, 'low');
    near(scored.high, high, 1e-6, 'high');
    const drawn = await aucEstimate(positive, negative);
    near(drawn.low, bootstrapLow, 0.03, 'bootstrap low');
    near(drawn.high, bootstrapHigh, 0.03, 'bootstrap high');
    const turned = aucScoreEstimate(negative, positive);
    near(turned.low, 1 - scored.high, 1e-9, 'turned low');
    near(turned.high, 1 - scored.low, 1e-9, 'turned high');
  }
});

test('AUC counts ties a half', () => {
  assert.equal(auc([2, 3], [0, 1]), 1);
  assert.equal(auc([0, 1], [2, 3]), 0);
  assert.equal(auc([1, 1], [1, 1]), 0.5);
  assert.equal(auc([1, 3], [1, 2]), (0.5 + 0 + 1 + 1) / 4);
});

test('classes that do not overlap: the bootstrap sees a point, the score interval does not', async () => {
  const drawn = await aucEstimate([2, 3, 4], [0, 1]);
  assert.deepEqual([drawn.low, drawn.high], [1, 1]);
  const few = aucScoreEstimate([2, 3, 4], [0, 1]);
  assert.equal(few.high, 1);
  assert.ok(few.low < 0.7, `${few.low}`);
  const values = Array.from({ length: 500 }, (_, index) => index);
  const many = aucScoreEstimate(
    values.map((value) => value + 1000),
    values,
  );
  assert.ok(many.low > 0.98, `${many.low}`);
  assert.deepEqual(aucScoreEstimate([], [1]), { value: Number.NaN, low: 0, high: 1, count: 1 });
});

test('bootstrap intervals hold the figure, narrow with the count, and are the same again', async () => {
  const values = (count: number) => Array.from({ length: count }, (_, index) => index % 10);
  const few = await bootstrap(values(20), mean);
  const many = await bootstrap(values(2000), mean);
  assert.equal(few.value, 4.5);
  assert.ok(few.low < 4.5 && few.high > 4.5, `${few.low} to ${few.high}`);
  assert.ok(many.high - many.low < (few.high - few.low) / 3, `${few.high - few.low}, ${many.high - many.low}`);
  assert.deepEqual(await bootstrap(values(20), mean), few);
  const apart = await bootstrapOfTwo(values(200), values(200), (one, other) => mean(one) - mean(other));
  assert.ok(apart.low < 0 && apart.high > 0, `${apart.low} to ${apart.high}`);
  const shifted = await bootstrapOfTwo(
    values(200).map((value) => value + 2),
    values(200),
    (one, other) => mean(one) - mean(other),
  );
  assert.ok(shifted.low > 0.5, `${shifted.low}`);
});

test('bootstrap leaves out draws without a figure', async () => {
  const found = await bootstrap([0, 1], (rows) => (rows.every((row) => row === 0) ? Number.NaN : 1));
  assert.deepEqual(found, { value: 1, low: 1, high: 1, count: 2 });
  const nothing = await bootstrap([], mean);
  assert.ok(Number.isNaN(nothing.value) && Number.isNaN(nothing.low), `${nothing.value}, ${nothing.low}`);
});

test("quantiles equal numpy's", () => {
  for (const { values, shares, quantiles } of golden.quantiles)
    for (const [index, share] of shares.entries()) near(quantile(values, share), quantiles[index] ?? Number.NaN, 1e-12);
  assert.equal(median([3, 1]), 2);
  assert.ok(Number.isNaN(median([])), 'nothing has no middle');
});

test("kappa equals statsmodels'; agreement by chance is none", async () => {
  for (const { first, other, kappa: expected } of golden.kappa)
    near((await kappa(first, other)).value, expected, 1e-12);
  assert.equal((await kappa(['a', 'b', 'a'], ['a', 'b', 'a'])).value, 1);
  assert.ok(Number.isNaN((await kappa(['a', 'a'], ['a', 'a'])).value), 'one verdict alone says nothing');
});

test('groups keep the order of their first row', () => {
  const groups = groupBy([3, 1, 2, 5], (value) => (value % 2 === 0 ? 'even' : 'odd'));
  assert.deepEqual(
    [...groups],
    [
      ['odd', [3, 1, 5]],
      ['even', [2]],
    ],
  );
});
