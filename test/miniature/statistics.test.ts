import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillMarkers } from '../../models/evaluation/card.js';
import { auc, aucEstimate, bootstrap, mean, rate } from '../../models/evaluation/statistics.js';
import { histogramSvg } from '../../models/evaluation/svg.js';

const near = (received: number, expected: number) =>
  assert.ok(Math.abs(received - expected) < 5e-4, `expected ${expected}, received ${received}`);

test("Wilson's interval", () => {
  const hits = Array.from({ length: 100 }, (_, index) => index < 90);
  const found = rate(hits); // statsmodels.stats.proportion.proportion_confint(90, 100, method='wilson')
  near(found.value, 0.9);
  near(found.low, 0.8256);
  near(found.high, 0.9448);
  const all = rate(new Array(36).fill(true)); // 36 of 36 prove no more than 0.904
  near(all.low, 0.9036);
  assert.equal(all.high, 1);
});

test('AUC counts ties a half', () => {
  assert.equal(auc([2, 3], [0, 1]), 1);
  assert.equal(auc([0, 1], [2, 3]), 0);
  assert.equal(auc([1, 1], [1, 1]), 0.5);
  assert.equal(auc([1, 3], [1, 2]), (0.5 + 0 + 1 + 1) / 4);
});

test('bootstrap intervals hold the figure, and narrow with the count', () => {
  const values = (count: number) => Array.from({ length: count }, (_, index) => index % 10);
  const few = bootstrap(values(20), mean);
  const many = bootstrap(values(2000), mean);
  assert.equal(few.value, 4.5);
  assert.ok(few.low < 4.5 && few.high > 4.5, `${few.low} to ${few.high}`);
  assert.ok(many.high - many.low < (few.high - few.low) / 3, `${few.high - few.low}, ${many.high - many.low}`);
  const area = aucEstimate(values(200), values(200));
  assert.ok(area.low < 0.5 && area.high > 0.5, `${area.low} to ${area.high}`);
});

test('a histogram draws every value, and its names are text', () => {
  const group = { name: '<b>&', values: [0, 0, 1], colour: '#000' };
  const svg = histogramSvg({ title: 't', axis: 'a', groups: [group], threshold: 0.5, thresholdName: 'cut' });
  assert.equal(svg.match(/fill="#000"/g)?.length, 2);
  assert.ok(svg.includes('&lt;b&gt;&amp; (3)') && !svg.includes('<b>'), svg);
});

test('a document without markers is refused', () => {
  const path = new URL(import.meta.url).pathname;
  assert.throws(() => fillMarkers(path, 'nothing', 'x'), {
    code: 'ERR_INVALID_OPTION',
    message: /Expected <!-- begin nothing -->/,
  });
});
