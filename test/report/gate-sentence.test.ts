/** The sentence beside what a gate did is of the gate that stood there, wherever the answers come from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gates } from '../../src/benchmark/scores.js';
import { BatchFigures } from '../../src/cli/batch/report-figures.js';
import { GATES } from '../../src/policy/index.js';
import { gateBlocks } from '../../src/report/evaluator-figures.js';
import type { Gate, Method } from '../../src/types/policy.js';
import { item, judged } from '../benchmark/answers.js';

function answered(method: Method, gate: Gate | null, isTraced = true) {
  const answer = judged(item('a'), 0, { method });
  const { trace, ...line } = answer.line;
  const traced =
    trace === undefined || !isTraced ? line : { ...line, trace: { ...trace, ...(gate !== null && { gate }) } };
  return { ...answer, line: traced };
}

const outcome = (gate: Gate | null) => ({
  method: 'an arm',
  gate,
  group: 'harmful requests',
  cells: [{ imageIsUnsafe: true, answerIsUnsafe: true, count: 1 }],
  actions: { answered: 0, aligned: 1, refused: 0 },
});

test('each gate has a sentence of its own, and where nobody knows which it was there is none', () => {
  const captionOf = (gate: Gate | null) => JSON.stringify(gateBlocks(outcome(gate)));
  assert.equal(new Set(GATES.map(captionOf)).size, GATES.length);
  assert.match(captionOf('lowAnswerOrBoth'), /1 answers\. Aligned is what both find unsafe, and every answer/);
  assert.match(captionOf(null), /1 answers\. 0 answered, 1 aligned, 0 refused\./i);
});

test('of judged answers: the gate that was traced, else the method’s own; none where there were several', () => {
  const gateOf = (...answers: Parameters<typeof gates>[0]) => gates(answers).map(({ gate }) => gate);
  assert.deepEqual(gateOf(answered('eta', null)), ['both']);
  assert.deepEqual(gateOf(answered('eta', 'lowAnswerOrBoth')), ['lowAnswerOrBoth']);
  assert.deepEqual(gateOf(answered('post', null)), ['answer']);
  assert.deepEqual(gateOf(answered('eta', null), answered('eta', 'either')), [null]);
});

test('of a batch: what traces say goes before what was named for all; without settings nobody knows', () => {
  const gateOf = (named: Gate | null | undefined, ...answers: readonly ReturnType<typeof answered>[]) => {
    const figures = new BatchFigures();
    for (const { line } of answers) figures.add(line);
    return figures.gates(named).map(({ gate }) => gate);
  };
  assert.deepEqual(gateOf(null, answered('eta', null, false)), ['both']);
  assert.deepEqual(gateOf('either', answered('eta', null, false)), ['either']);
  assert.deepEqual(gateOf('either', answered('post', null, false)), ['answer'], 'which takes no other');
  assert.deepEqual(gateOf(undefined, answered('eta', null, false)), [null]);
  assert.deepEqual(gateOf(null, answered('eta', 'picture')), ['picture']);
  assert.deepEqual(gateOf(null, answered('eta', 'picture'), answered('eta', null)), [null]);
});
