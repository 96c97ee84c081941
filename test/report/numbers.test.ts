import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytes,
  estimated,
  fixed,
  interval,
  milliseconds,
  number,
  percent,
  points,
  pValue,
} from '../../src/report/numbers.js';

const estimate = { value: 0.0412, low: 0.025, high: 0.066, count: 340 };

test('what is not a number is a dash', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, null, undefined]) {
    assert.deepEqual([fixed(value, 2), number(value), percent(value), milliseconds(value)], ['–', '–', '–', '–']);
  }
  assert.equal(estimated({ value: Number.NaN, low: 0, high: 1, count: 0 }, 'percent'), '–');
  assert.equal(estimated({ value: 0, low: 0, high: 1, count: 0 }, 'percent'), '–');
  assert.equal(pValue(null), '–');
  assert.equal(bytes(undefined), '–');
});

test('shares and their intervals', () => {
  assert.equal(percent(0.0412), '4.1\u00a0%');
  assert.equal(estimated(estimate, 'percent'), '4.1\u00a0% (2.5\u00a0to\u00a06.6)');
  assert.equal(interval(estimate, 'percent'), '2.5\u00a0to\u00a06.6');
  assert.equal(points({ value: -0.88, low: -0.91, high: -0.84, count: 9 }), '−88.0 (−91.0\u00a0to\u00a0−84.0)');
  assert.equal(
    points({ value: 0.02, low: -0.01, high: 0.05, count: 9 }, ' points'),
    '+2.0 points (−1.0\u00a0to\u00a05.0)',
  );
});

test('numbers of every size', () => {
  assert.deepEqual([0, 5, -5, 0.1234, 12.345, 123.4, 0.00012, 3e7].map(number), [
    '0',
    '5',
    '−5',
    '0.123',
    '12.3',
    '123',
    '0.000120',
    '3.00e+7',
  ]);
  assert.equal(fixed(-0.001, 2), '0.00');
  assert.equal(pValue(1e-9), '< 0.001');
  assert.equal(milliseconds(61_234), '61.23 s');
  assert.equal(milliseconds(3.21), '3.21 ms');
  assert.equal(bytes(5938112), '5,938,112');
});
