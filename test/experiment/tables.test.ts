/** Tables and curves of experiments from answers made by hand, so that every figure can be counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differences, type JudgedAnswer, type Measurement, miniature, rates } from '../../src/benchmark/index.js';
import { type ChangedItem, label, unitOf } from '../../src/experiment/changed-pictures.js';
import { comparisonTable, comparisonTrials } from '../../src/experiment/comparison.js';
import { gateTable } from '../../src/experiment/gates.js';
import { ARMS as HELPINGS } from '../../src/experiment/helpings.js';
import { helpingsTable } from '../../src/experiment/helpings-table.js';
import { overheadArms } from '../../src/experiment/overhead.js';
import { overheadCurves, overheadTable, overheadTimes, type Timed } from '../../src/experiment/overhead-table.js';
import { PICTURE_CHANGES } from '../../src/experiment/picture-changes.js';
import { EXPERIMENTS, experimentOf } from '../../src/experiment/registry.js';
import {
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  searchNotes,
} from '../../src/experiment/robustness-table.js';
import { METHODS } from '../../src/policy/methods.js';
import type { Estimate } from '../../src/report/index.js';
import { item, judged } from '../benchmark/answers.js';

async function measurementOf(answers: readonly JudgedAnswer[], runs: readonly string[]): Promise<Measurement> {
  const [base = '', ...others] = runs;
  return {
    dataset: miniature,
    variant: '',
    items: [...new Set(answers.map(({ instance }) => instance.item))],
    runs,
    seeds: [1],
    judgeName: 'test',
    refusalJudgeName: 'xstest',
    comparerName: null,
    settings: {},
    answers,
    rates: await rates(answers, runs),
    differences: await differences(
      answers,
      others.map((run) => [run, base] as const),
    ),
    failed: {},
    cut: {},
  };
}

const value = (cell: unknown) => (cell === null ? null : typeof cell === 'object' ? (cell as Estimate).value : cell);

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
    ladder: _ladder,
    alternatives: _alternatives,
    helpings: _helpings,
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

/** Ten pictures, unchanged and blurred: blurred ones are flagged half as often, and eta fails on the others. */
async function blurredSet(): Promise<{ changed: ChangedItem[]; measured: Measurement }> {
  const changed: ChangedItem[] = [];
  const answers: JudgedAnswer[] = [];
  const add = (
    strength: number,
    at: number,
    isFlagged: boolean,
    values: Readonly<Record<'vanilla' | 'eta', number>>,
  ) => {
    const of = item(strength === 0 ? `p${at}` : `p${at}@blur-${strength}`);
    changed.push({ change: strength === 0 ? 'none' : 'blur', strength, item: of, from: `p${at}` });
    for (const method of ['vanilla', 'eta'] as const) {
      const found = judged(of, values[method], { method });
      const before = found.line.verdict ?? assert.fail('no verdict');
      const picture = before.picture === null || method !== 'eta' ? null : { ...before.picture, isUnsafe: isFlagged };
      const verdict = { ...before, picture };
      answers.push({ ...found, line: { ...found.line, verdict } });
    }
  };
  for (let at = 0; at < 10; at++) {
    add(0, at, true, { vanilla: 1, eta: 0 });
    add(2, at, at < 5, { vanilla: 1, eta: at < 5 ? 0 : 1 });
  }
  return { changed, measured: await measurementOf(answers, ['vanilla', 'eta']) };
}

test('robustness: flagged, unsafe, gain, and what is left of it', async () => {
  const { changed, measured } = await blurredSet();
  const { columns, rows } = await robustnessTable(measured, changed);
  assert.deepEqual(columns, ['picture', 'flagged', 'unsafe, vanilla', 'unsafe, eta', 'gain', 'left of the gain']);
  assert.deepEqual(
    rows.map((row) => row.map(value)),
    [
      ['unchanged', 1, 1, 0, 1, 1],
      ['blur 2', 0.5, 1, 0.5, 0.5, 0.5],
    ],
  );
  const left = rows[1]?.at(-1) as Estimate;
  assert.ok(left.low > 0.1 && left.low < 0.5 && left.high > 0.5 && left.high < 0.9, JSON.stringify(left));
  assert.equal(left.count, 10);
});

test('robustness: a line for each arm over the strengths, from the unchanged picture on', async () => {
  const { changed, measured } = await blurredSet();
  const [curve, ...more] = robustnessCurves(measured, changed);
  assert.deepEqual(more, []);
  assert.equal(curve?.x, unitOf('blur'));
  assert.deepEqual(
    curve?.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])]),
    [
      [
        'vanilla',
        [
          [0, 1],
          [2, 1],
        ],
      ],
      [
        'eta',
        [
          [0, 0],
          [2, 0.5],
        ],
      ],
      [
        'flagged',
        [
          [0, 1],
          [2, 0.5],
        ],
      ],
    ],
  );
});

test('robustness: the pictures as they are, and the change that eta stands worst, are told first', async () => {
  const { changed, measured } = await blurredSet();
  assert.deepEqual(robustnessHeadlines(measured, changed), [
    'Pictures unchanged: unsafe 100.0\u00a0% with vanilla, 0.0\u00a0% (0.0\u00a0to\u00a027.8) with eta (10 pictures).',
    'Worst for eta, blur 2: unsafe 100.0\u00a0% with vanilla, 50.0\u00a0% (23.7\u00a0to\u00a076.3) with eta (10 pictures).',
  ]);
  assert.deepEqual(robustnessHeadlines({ ...measured, answers: [] }, changed), []);
});

test('robustness without judged answers, or without a gain to lose, is a dash', async () => {
  const { changed, measured } = await blurredSet();
  const none = await robustnessTable({ ...measured, answers: [] }, changed);
  assert.deepEqual(none.rows[0], ['unchanged', null, null, null, null, null]);
  const harmless = measured.answers.map((answer) => ({ ...answer, value: 0 }));
  assert.equal((await robustnessTable({ ...measured, answers: harmless }, changed)).rows[0]?.at(-1), null);
});

test('every change has a unit and rising strengths', () => {
  for (const { name, unit, strengths } of PICTURE_CHANGES) {
    assert.ok(unit !== '' && strengths.length > 1, name);
    assert.deepEqual(
      [...strengths].sort((a, b) => a - b),
      strengths,
    );
    assert.equal(unitOf(name), unit);
  }
  assert.equal(label('blur', 0), 'unchanged');
  assert.equal(label('blur', 2), 'blur 2');
});

test('the search is told in a sentence for each limit', () => {
  const note = { from: 'a', limit: 8, before: 0.3, after: 0.1, queryCount: 40, share: 1 };
  const notes = searchNotes([note, { ...note, after: 0.28, share: 0, queryCount: 60 }, { ...note, limit: 16 }], 0.2);
  assert.equal(notes.length, 2);
  assert.match(
    notes[0] ?? '',
    /at most 8 of 255: 1 of 2 pictures fell below .*\(for 1 any change could keep it\).* 0\.110 .* 50 queries/,
  );
});

const NO_SEARCH = { candidateCount: 0, undrawnCandidateCount: 0 };

function timed(model: string, arm: string, id: string, totalMs: number, tokens = 8): Timed {
  const phases = { imageDecodeMs: 1, clipMs: 1, prefillMs: 1, vanillaMs: 1, rewardMs: 1, alignMs: 1, firstTextMs: 2 };
  const counts = { promptTokenCount: 1, imageTokenCount: 1, cachedTokenCount: 0, rewardTokenCount: 0, ...NO_SEARCH };
  const usage = { ...counts, rewardCachedTokenCount: 0, answerTokenCount: tokens, sampledTokenCount: tokens };
  return { model, arm, id, result: { timings: { ...phases, totalMs }, usage, stopReason: 'end' } };
}

test('overhead: ratios of medians over the same requests', async () => {
  const rows = ['a', 'b', 'c'].flatMap((id, at) => [
    timed('m', 'vanilla', id, 16 + 4 * at),
    timed('m', 'aligned, N = 1', id, 32 + 8 * at, 16),
    timed('m', 'aligned, N = 5', id, 48 + 12 * at),
  ]);
  const table = await overheadTable(rows);
  assert.deepEqual(
    table.rows.map((row) => row.map(value)),
    [
      ['vanilla', 1, 20, 2, 8, 8, 1],
      ['aligned, N = 1', 2, 40, 2, 16, 16, 1],
      ['aligned, N = 5', 3, 60, 2, 8, 8, 3],
    ],
  );
  const [curve] = await overheadCurves(rows, [1, 5]);
  assert.deepEqual(
    curve?.series.map(({ name, points }) => [name, points.map(({ x, y }) => [x, y])]),
    [
      [
        'eta',
        [
          [1, 2],
          [5, 3],
        ],
      ],
    ],
  );
  assert.deepEqual(
    overheadTimes(rows).map(({ method, count, totalMs }) => [method, count, totalMs.median]),
    [
      ['vanilla', 3, 20],
      ['aligned, N = 1', 3, 40],
      ['aligned, N = 5', 3, 60],
    ],
  );
});

test('overhead: two models are told apart', async () => {
  const rows = ['small', 'large'].flatMap((model) => [
    timed(model, 'vanilla', 'a', 10),
    timed(model, 'aligned, N = 1', 'a', 20),
  ]);
  assert.deepEqual(
    (await overheadTable(rows)).rows.map(([name]) => name),
    ['small: vanilla', 'small: aligned, N = 1', 'large: vanilla', 'large: aligned, N = 1'],
  );
  assert.deepEqual(
    (await overheadCurves(rows, [1]))[0]?.series.map(({ name }) => name),
    ['small', 'large'],
  );
});

test('overhead: every request is sent down the path that is measured', () => {
  const arms = overheadArms([1, 5]);
  assert.deepEqual(
    arms.map(({ name }) => name),
    ['vanilla', 'picture looks safe', 'answer looks safe', 'shallow', 'aligned, N = 1', 'aligned, N = 5'],
  );
  assert.deepEqual(arms.at(-1)?.options, {
    candidateCount: 5,
    thresholds: { unsafeClipScore: -1, unsafeDecision: -1e6, safeReward: 1e6, safeDecision: 1e6 },
    whenStillUnsafe: 'return',
  });
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
