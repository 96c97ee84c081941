/** From logits to what is said of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisionOf, scoreOf } from '../../src/decision/log-odds.js';

const WORDS = ['yes', 'no', 'Yes', 'perhaps', 'why'];
const model = { name: 'tiny', text: ([token = -1]: readonly number[] | Int32Array) => WORDS[token] ?? '' };
const verdicts = { safe: Int32Array.of(1), unsafe: Int32Array.of(0, 2) };
const question = { score: 'log-odds' as const, leastMass: 0.9, verdicts: { safe: ['no'], unsafe: ['yes'] } };

test('what a guard would say instead is no verdict, even where a verdict is the likeliest of all', () => {
  const logits = Float32Array.of(1, 3, 0, 2.5, -1);
  const decision = decisionOf(logits, verdicts);
  assert.equal(WORDS[decision.likeliestOther], 'perhaps');
  assert.deepEqual([...logits], [1, 3, 0, 2.5, -1], 'they are somebody else’s');
  assert.throws(() => scoreOf(decision, question, { model, form: { name: 'tiny' } }), {
    code: 'ERR_NO_DECISION',
    message: /it does not answer the question\. What it would say instead begins with "perhaps"\./,
  });
  assert.ok(scoreOf(decision, { ...question, leastMass: 0.5 }, { model, form: { name: 'tiny' } }) > 0, 'control');
});
