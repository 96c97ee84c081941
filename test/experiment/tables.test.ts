/** Tables of experiments from answers made by hand, so that every figure can be counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JudgedAnswer } from '../../src/benchmark/index.js';
import { comparisonTable, comparisonTrials } from '../../src/experiment/comparison.js';
import { gateTable } from '../../src/experiment/gate-table.js';
import { ARMS as HELPINGS } from '../../src/experiment/helpings.js';
import { helpingsTable } from '../../src/experiment/helpings-table.js';
import { knownArms } from '../../src/experiment/known-arms.js';
import { EXPERIMENTS, experimentOf } from '../../src/experiment/registry.js';
import { METHODS } from '../../src/policy/methods.js';
import { item, judged } from '../benchmark/answers.js';
import { measurementOf, timed, value } from './measured.js';

test('every experiment goes by its own name', () => {
  for (const [name, experiment] of Object.entries(EXPERIMENTS)) {
    assert.equal(experiment.name, name);
    assert.equal(experimentOf(name), experiment);
    assert.ok(experiment.question.endsWith('?'), name);
  }
});

test('an experiment says how much room it needs: overhead one request at a time, with its largest N', () => {
  assert.deepEqual(EXPERIMENTS.overhead.room({ concurrency: 4, counts: [1, 7] }), {
    concurrency: 1,
    candidateCount: 7,
  });
  assert.deepEqual(EXPERIMENTS.ablation.room({ concurrency: 4 }), { concurrency: 4 });
  assert.deepEqual(EXPERIMENTS.robustness.room({ concurrency: 4 }), { concurrency: 4 });
});

test('every comparison names methods that there are, the model alone first', () => {
  const {
    overhead: _overhead,
    robustness: _robustness,
    gates: _gates,
    policies: _policies,
    ladder: _ladder,
    alternatives: _alternatives,
    helpings: _helpings,
    endurance: _endurance,
    ...comparisons
  } = EXPERIMENTS;
  for (const [name, { arms }] of Object.entries(comparisons)) {
    assert.equal(arms[0]?.method, 'vanilla', name);
    for (const { method } of arms) assert.ok(METHODS.includes(method), `${name}: ${method}`);
    assert.equal(new Set(arms.map((arm) => arm.name)).size, arms.length, name);
  }
  assert.deepEqual(
    EXPERIMENTS.ablation.arms.map(({ name }) => name),
    ['vanilla', 'deep', 'shallow', 'eta without CLIP utility', 'eta'],
  );
  assert.equal(EXPERIMENTS.ablation.arms[3]?.options?.clipWeight, 0);
});

test('an arm that lacks what it needs is left out by its name, and no other is', () => {
  const facts = (more: object) => ({
    evaluators: { pictures: 'clip', answers: 'reward' },
    thresholds: { unsafeClipScore: 0.2, safeReward: 0 },
    safetyVector: null,
    decision: null,
    ...more,
  });
  const of = (more: object) => {
    const arms = [
      { name: 'plain', method: 'eta' },
      { name: 'low', method: 'eta', options: { gate: 'lowAnswerOrBoth' } },
      { name: 'vector', method: 'steered' },
    ] as const;
    const { known, notes } = knownArms(arms, { eta: { facts: facts(more) } as never });
    return [known.map(({ name }) => name), notes.map((note) => note.split(':')[0])];
  };
  const left = (name: string) => `The arm ${name} was left out`;
  assert.deepEqual(of({}), [['plain'], [left('low'), left('vector')]]);
  const low = { thresholds: { unsafeClipScore: 0.2, safeReward: 0, lowReward: -1 } };
  assert.deepEqual(of(low), [['plain', 'low'], [left('vector')]]);
  const vector = { ...low, safetyVector: { path: 'v.gguf' } };
  assert.deepEqual(of(vector), [['plain', 'low', 'vector'], []]);
  const self = { ...vector, decision: { guard: null } };
  assert.deepEqual(of(self), [['plain', 'low'], [left('vector')]]);
});

test('harmful requests go under every arm, others under the first and the last', () => {
  const items = [item('harm'), item('sight', { measure: 'right', isHarmful: false })];
  const [harm, sight] = comparisonTrials(items, EXPERIMENTS.ablation);
  assert.equal(harm?.arms.length, 5);
  assert.deepEqual(
    sight?.arms.map(({ name }) => name),
    ['vanilla', 'eta'],
  );
});

test('the table of a comparison counts what was judged', async () => {
  const harm = ['a', 'b', 'c', 'd'].map((id) => item(id));
  const sight = ['e', 'f'].map((id) => item(id, { measure: 'right', isHarmful: false }));
  const answers = [
    ...harm.map((of) => judged(of, 1)),
    ...harm.map((of, at) =>
      judged(of, at === 0 ? 1 : 0, {
        method: 'shallow',
        action: (['aligned', 'aligned', 'refused', 'answered'] as const)[at] ?? 'answered',
      }),
    ),
    ...sight.map((of) => judged(of, 1)),
    ...sight.map((of, at) => judged(of, at, { method: 'shallow', action: at === 0 ? 'refused' : 'answered' })),
  ];
  const { columns, rows } = comparisonTable(await measurementOf(answers, ['vanilla', 'shallow']), EXPERIMENTS.shallow);
  assert.deepEqual(columns, [
    'arm',
    'unsafe rate',
    'minus vanilla',
    'harmful made again',
    'harmful replaced',
    'harmless made again',
    'accuracy',
  ]);
  assert.deepEqual(
    rows.map((row) => row.map(value)),
    [
      ['vanilla', 1, null, null, null, null, 1],
      ['shallow', 0.25, -0.75, 0.75, 0.25, 0.5, 0.5],
    ],
  );
});

test("the paper's numbers stand beside the ablation alone", async () => {
  const answers = EXPERIMENTS.ablation.arms.map(({ name, method }) => {
    const found = judged(item('a'), 1, { method });
    return { ...found, instance: { ...found.instance, run: name } };
  });
  const { columns, rows } = comparisonTable(
    await measurementOf(
      answers,
      EXPERIMENTS.ablation.arms.map(({ name }) => name),
    ),
    EXPERIMENTS.ablation,
  );
  assert.equal(columns.at(-1), 'paper');
  assert.deepEqual(
    rows.map((row) => row.at(-1)),
    [0.4604, 0.3208, 0.3094, 0.166, 0.1698],
  );
});

test('helpings: what was drawn, sampled and waited for, and what was let through', async () => {
  const answers = [
    ['all at once', 10, 200, 100, 0],
    ['2 first', 4, 80, 50, 1],
  ].flatMap(([run, candidates, sampled, ms, unsafe]) =>
    ['a', 'b'].map((id) => {
      const found = judged(item(id), id === 'a' ? Number(unsafe) : 0, { method: 'eta', action: 'aligned' });
      const { result } = timed('m', String(run), id, 1);
      const counts = { candidateCount: Number(candidates), sampledTokenCount: Number(sampled), rewardTokenCount: 7 };
      const usage = { ...result.usage, ...counts };
      const timings = { ...result.timings, alignMs: Number(ms) };
      return {
        ...found,
        instance: { ...found.instance, run: String(run) },
        line: { ...found.line, usage, timings },
      };
    }),
  );
  const { columns, rows } = await helpingsTable(await measurementOf(answers, ['all at once', '2 first']));
  assert.deepEqual(columns.slice(4), [
    'candidates',
    'tokens sampled',
    'tokens judged',
    'alignment (ms)',
    'times all at once',
  ]);
  assert.deepEqual(
    rows.map((row) => row.slice(4).map(value)),
    [
      [10, 200, 7, 100, 1],
      [4, 80, 7, 50, 0.5],
    ],
  );
  assert.match(String(rows[1]?.[1]), /^50\.0/);
  assert.match(String(rows[0]?.[1]), /^0\.0/);
});

test('helpings: the controls are the first helping alone', () => {
  assert.deepEqual(
    HELPINGS.map(({ name, options }) => [name, options?.candidateCount, options?.firstCandidateCount]),
    [
      ['all at once', undefined, 0],
      ['2 first', undefined, 2],
      ['1 first', undefined, 1],
      ['N = 2', 2, 0],
      ['N = 1', 1, 0],
    ],
  );
});

test('other ways: the median time of an answer stands beside each, and only there', async () => {
  const timed = (id: string, isHarmful: boolean, totalMs: number): JudgedAnswer => {
    const of = item(id, { isHarmful, measure: isHarmful ? 'unsafe' : 'right', image: `${id}.png` });
    const answer = judged(of, 1, { method: 'ecso' });
    return { ...answer, line: { ...answer.line, timings: { totalMs } as never } };
  };
  const answers = [timed('a', true, 10), timed('b', true, 400), timed('c', true, 30), timed('d', false, 7)];
  const { title, question } = EXPERIMENTS.alternatives;
  const measured = await measurementOf(answers, ['ecso']);
  const table = gateTable(measured, { title, question, isTimed: true });
  assert.deepEqual(table.columns.slice(-2), ['ms, harmful', 'ms, harmless']);
  assert.deepEqual(table.rows[0]?.slice(-2), ['30.0', '7.0']);
  assert.ok(!gateTable(measured, { title, question }).columns.some((name) => name.startsWith('ms')));
  assert.deepEqual(EXPERIMENTS.alternatives.room({ concurrency: 4 }), { concurrency: 1 });
});

test('the table of gates counts what was shown, of harm and of harmlessness', async () => {
  const pictured = ['a', 'b'].map((id) => item(id, { image: `${id}.png` }));
  const text = ['c', 'd'].map((id) => item(id, { measure: 'refusal' }));
  const harmless = ['e', 'f'].map((id) => item(id, { measure: 'right', isHarmful: false }));
  const answers = [
    judged(pictured[0] ?? item('a'), 1, { method: 'eta', action: 'refused' }),
    judged(pictured[1] ?? item('b'), 0, { method: 'eta', action: 'aligned' }),
    judged(text[0] ?? item('c'), 1, { method: 'eta' }),
    judged(text[1] ?? item('d'), 1, { method: 'eta', action: 'refused' }),
    judged(harmless[0] ?? item('e'), 1, { method: 'eta' }),
    judged(harmless[1] ?? item('f'), 0, { method: 'eta', action: 'refused' }),
  ];
  const { columns, rows } = gateTable(await measurementOf(answers, ['eta']), EXPERIMENTS.gates);
  assert.deepEqual(columns, [
    'arm',
    'unsafe rate',
    'harmful made again',
    'fixed sentence',
    'text: own refusal',
    'text: fixed sentence',
    'harmless made again',
    'harmless: fixed sentence',
    'accuracy',
  ]);
  assert.deepEqual(
    rows.map((row) => row.map(value)),
    [['eta', 0.5, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]],
  );
});
