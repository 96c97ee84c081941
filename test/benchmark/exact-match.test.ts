import assert from 'node:assert/strict';
import { test } from 'node:test';
import { match, saidLetter, saysNo } from '../../src/benchmark/exact-match.js';
import { normalised, vqaAccuracy } from '../../src/benchmark/vqa-accuracy.js';

test('the letter of an option, in the forms that models say it', () => {
  const options = ['a red apple', 'Paris', 'the moon'];
  const cases: readonly (readonly [string, string | null])[] = [
    ['B', 'B'],
    [' B. ', 'B'],
    ['(B)', 'B'],
    ['B. Paris', 'B'],
    ['(B) Paris', 'B'],
    ['B) Paris', 'B'],
    ['B: Paris', 'B'],
    ['The answer is C.', 'C'],
    ['I think the correct answer is: (A)', 'A'],
    ['Paris.', 'B'],
    ['A red apple', 'A'],
    ['moon', 'C'],
    ['D', null],
    ['A nice picture of Paris', null],
    ['Both B and C', null],
    ['', null],
  ];
  for (const [answer, letter] of cases) assert.equal(saidLetter(answer, options), letter, JSON.stringify(answer));
  assert.deepEqual(match({ kind: 'choice', right: 'B', options }, 'C'), { score: 0, said: 'C' });
});

test("POPE's rule: a no or not in the first sentence", () => {
  for (const [answer, isNo] of [
    ['No', true],
    ['no.', true],
    ['No, there is no dog.', true],
    ['There is not a dog', true],
    ['Yes', false],
    ['Yes. There is no cat though.', false],
    ['Nothing there', false],
    ['', false],
  ] as const)
    assert.equal(saysNo(answer), isNo, answer);
});

test('own answers: letter case, articles and punctuation aside', () => {
  const key = { kind: 'text', right: ['The red apple', '3.5'] } as const;
  for (const [answer, score] of [
    ['red apple.', 1],
    ['A RED apple!', 1],
    ['3.5', 1],
    ['35', 0],
    ['apple', 0],
  ] as const)
    assert.equal(match(key, answer).score, score, answer);
});

test('answers normalised as the VQA evaluation does', () => {
  for (const [answer, expected] of [
    ['The Nokia', 'nokia'],
    ['two dogs', '2 dogs'],
    ['none', '0'],
    ["it's", "it 's"],
    ['dont know', "don't know"],
    ['1,000', '1000'],
    ['red, blue', 'red blue'],
    ['t-shirt', 't shirt'],
    ['pay - now', 'pay now'],
    ['2.5', '2.5'],
    ['Dr. Who.', 'dr who'],
    ['a\nb', 'b'],
    ['what?', 'what'],
  ] as const)
    assert.equal(normalised(answer), expected, JSON.stringify(answer));
});

test('the accuracy of ten people, each left out in turn', () => {
  const people = (agreeing: number) => Array.from({ length: 10 }, (_, i) => (i < agreeing ? 'Nokia' : `other ${i}`));
  // With k of ten agreeing: (k min(1, (k-1)/3) + (10-k) min(1, k/3)) / 10.
  for (const [agreeing, expected] of [
    [0, 0],
    [1, 0.3],
    [2, 0.6],
    [3, 0.9],
    [4, 1],
    [10, 1],
  ] as const)
    assert.ok(Math.abs(vqaAccuracy('the nokia.', people(agreeing)).score - expected) < 1e-12, `${agreeing}`);
});
