/**
 * `policy: 'paper'` against recorded runs of the reference's algorithm. The recorder (record/reference.py) shares no line
 * with the code under test: its language model is computed in numpy, its evaluators run in Python, its draws come from the
 * definition of the generator. Equal are every token of every candidate, every choice and every end; scores to 5e-5.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Model } from '../../src/engine/index.js';
import type { Eta } from '../../src/index.js';
import { difference, loadPaper, paperModels, replay, stepped } from './replay.js';
import { type RecordedTrace, readControls, readTraces } from './trace-file.js';

/** Requests at once: they share the steps of one context, which changes no decision. */
const AT_ONCE = 4;

const { traces, shows } = readTraces();
const { controls } = readControls();
let eta: Eta;
let model: Model;

before(async () => {
  eta = await loadPaper();
  model = await Model.load({ modelPath: paperModels.languageModel, gpuLayerCount: 0, threadCount: 1 });
});
after(async () => {
  await eta.dispose();
  await model.dispose();
});

const textOf = (tokens: readonly number[]) => model.text(tokens);

/** What differs in each replay, or null. */
async function replayAll(recorded: readonly RecordedTrace[]): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < recorded.length; index = next++) {
      const trace = recorded[index];
      if (trace !== undefined) found[index] = difference(await replay(eta, trace), trace, textOf);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

test('at least 500 traces, and every kind of case among them', () => {
  assert.ok(traces.length >= 500, `${traces.length} traces`);
  const cases = [
    'the answer is safe',
    'the picture is safe',
    'safeReward exactly at the score',
    'safeReward one float above the score',
    'safeReward one float below the score',
    'unsafeClipScore exactly at the score',
    'unsafeClipScore one float above the score',
    'unsafeClipScore one float below the score',
    "the paper's numbers",
    'one candidate',
    'N is not k',
    'cap 69 in the first round',
    'cap 70 in a later round',
    'an end wins in the first round',
    'an end wins in the later round',
    'an end loses in the later round',
    'every candidate ends',
    'an empty candidate in the first round',
    'an empty candidate wins in the first round',
    'an empty candidate wins in the later round',
    'a tie for the first place',
    'the CLIP score decides',
    'the weight 1/i decides',
    'the limit is reached exactly',
    'the last sentence passes the limit',
    'five rounds or more',
    "CLIP's window passed: the reference throws",
  ];
  for (const name of cases) {
    const count = traces.filter((trace) => trace.shows.includes(name)).length;
    assert.ok(count >= 4, `${name}: ${count} traces`);
    assert.equal(count, shows[name], name);
  }
});

test('every trace is replayed: the same candidates, scores, choices and text', async () => {
  const found = await replayAll(traces);
  const differing = found.flatMap((what, index) => (what === null ? [] : [`trace ${index}: ${what}`]));
  assert.deepEqual(differing, []);
  assert.equal(found.length, traces.length);
});

for (const [rule, recorded] of Object.entries(controls)) {
  test(`a replay refuses traces of a broken rule: ${rule}`, async () => {
    assert.ok(recorded.length >= 4, `${recorded.length} traces`);
    const found = await replayAll(recorded);
    for (const [index, what] of found.entries()) assert.notEqual(what, null, `trace ${index} was replayed`);
  });
}

test('a step of a float is the next float', () => {
  assert.equal(stepped(1, 1), 1 + Number.EPSILON);
  assert.equal(stepped(1, -1), 1 - Number.EPSILON / 2);
  assert.equal(stepped(-1, 1), -1 + Number.EPSILON / 2);
  assert.equal(stepped(0.3, 0), 0.3);
});
