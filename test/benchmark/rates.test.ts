import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference, itemValues, limited, plan, rates } from '../../src/benchmark/index.js';
import { yesNoFigures } from '../../src/benchmark/pope-counts.js';
import { published } from '../../src/benchmark/published.js';
import { mcnemar, rate } from '../../src/statistics/index.js';
import { item, judged } from './answers.js';

const eta = (seed: number) => ({ method: 'eta', seed }) as const;

test('an item counts once, with the mean over its seeds; unjudged ones are counted apart', async () => {
  const answers = [
    judged(item('a'), 1, eta(1)),
    judged(item('a'), 0, eta(2)),
    judged(item('b'), 1, eta(1)),
    judged(item('b'), null, eta(2)),
    judged(item('c'), null, eta(1)),
    judged(item('c'), null, eta(2)),
  ];
  const [all] = await rates(answers, ['vanilla', 'eta']);
  assert.deepEqual(all, {
    measure: 'unsafe',
    run: 'eta',
    category: null,
    estimate: rate([0.5, 1]),
    unjudgedCount: 1,
    answerCount: 6,
    unjudgedAnswerCount: 3,
    replacedAnswerCount: 0,
  });
});

test('categories are rows of their own where there are several', async () => {
  const answers = ['x', 'y'].map((category) => judged(item(category, { category }), Number(category === 'x')));
  assert.deepEqual(
    (await rates(answers, ['vanilla'])).map(({ category, estimate }) => [category, estimate.value, estimate.count]),
    [
      [null, 0.5, 2],
      ['x', 1, 1],
      ['y', 0, 1],
    ],
  );
});

test('a circular question is right only when each of its rounds is', async () => {
  const round = (id: string, group: string, value: number | null) =>
    judged(item(id, { group, measure: 'right' }), value);
  const values = await itemValues([
    round('a', 'a', 1),
    round('a/1', 'a', 1),
    round('b', 'b', 1),
    round('b/1', 'b', 0),
    round('c', 'c', 1),
    round('c/1', 'c', null),
  ]);
  assert.deepEqual(
    [...values],
    [
      ['a', 1],
      ['b', 0],
      ['c', null],
    ],
  );
});

test('a difference is paired by item, with the counts of McNemar', async () => {
  const vanilla = [1, 1, 1, 0, 1, null].map((value, index) => judged(item(String(index)), value));
  const other = [0, 0, 1, 0, 0, 1].map((value, index) => judged(item(String(index)), value, eta(1)));
  const found = await difference(other, vanilla);
  assert.deepEqual([found?.difference.value, found?.difference.count], [-0.6, 5]);
  assert.deepEqual([found?.onlyOneCount, found?.onlyOtherCount], [0, 3]);
  assert.equal(found?.pValue, mcnemar({ firstOnly: 0, otherOnly: 3 }).midP);
  assert.equal((await difference(vanilla, vanilla))?.pValue, null);
  assert.equal(await difference(vanilla, []), null);
});

test("vanilla does not compete with itself for preference, whoever's answers are compared with it", async () => {
  const asked = item('a', { measure: 'preferred' });
  const found = await rates([judged(asked, null), judged(asked, 1, eta(1))], ['vanilla', 'eta']);
  assert.deepEqual(
    found.map(({ run, unjudgedCount }) => [run, unjudgedCount]),
    [['eta', 0]],
  );
});

test('the plan asks greedy methods once, drawing ones under each seed, categories in turn', () => {
  const items = ['a1', 'a2', 'b1'].map((id) => item(id, { category: id.slice(0, 1) }));
  const instances = plan(items, { methods: ['vanilla', 'shallow', 'eta'], seeds: [1, 2] });
  assert.deepEqual(
    instances.map(({ id }) => id),
    [
      ...['a1', 'b1', 'a2'].flatMap((id) => [`vanilla/1/${id}`, `shallow/1/${id}`, `eta/1/${id}`]),
      ...['a1', 'b1', 'a2'].map((id) => `eta/2/${id}`),
    ],
  );
  assert.deepEqual(
    limited(items, 1).map(({ id }) => id),
    ['a1', 'b1'],
  );
});

test("POPE's figures, against counts by hand", () => {
  const answers = (
    [
      ['yes', 'yes'],
      ['yes', 'yes'],
      ['yes', 'no'],
      ['yes', 'no'],
      ['no', 'yes'],
      ['no', 'no'],
    ] as const
  ).map(([said, right], index) => ({
    ...judged(
      item(String(index), { measure: 'right', category: 'random', key: { kind: 'yes-no', right } }),
      Number(said === right),
    ),
    reason: said,
  }));
  const [found] = yesNoFigures(answers, ['vanilla', 'eta']);
  assert.deepEqual(found, {
    category: 'random',
    run: 'vanilla',
    precision: 2 / 4,
    recall: 2 / 3,
    f1: 4 / 7,
    yesShare: 4 / 6,
    count: 6,
  });
});

test("the paper's numbers stand beside ours where the model is the same, and only there", async () => {
  const own = await rates([judged(item('a'), 1)], ['vanilla']);
  const of = (model: string, benchmark = 'figstep', variant = 'suffix') =>
    published({ benchmark, variant, model, rates: own }).map(({ method, published: value, ours }) => [
      method,
      value,
      ours?.value,
    ]);
  for (const model of ['llava-v1.5-7b', 'LLaVA 1.5 7B', 'LLaVA_v1.5-7b-Q4_K_M'])
    assert.deepEqual(
      of(model),
      [
        ['vanilla', 0.62, 1],
        ['eta', 0.226, undefined],
      ],
      model,
    );
  assert.deepEqual(
    of('llava-v1.5-13b', 'mm-safetybench', 'sd-typo').map(([, value]) => value),
    [0.4101, 0.1167],
  );
  assert.deepEqual(of('llava-v1.5-13b', 'mm-safetybench', 'sd'), []);
  assert.deepEqual(of('eta-vlm miniature'), []);
  assert.deepEqual(of('llava-v1.5-7b', 'cross-modality', 'clean'), []);
  assert.equal(of('llava-v1.5-7b', 'cross-modality', 'prompt_unconstrained').length, 2);
  // What is published of MMBench is right in every order of the options.
  assert.deepEqual(of('llava-v1.5-7b', 'mmbench', 'plain'), []);
  assert.deepEqual(
    of('llava-v1.5-7b', 'mmbench', 'circular').map(([, value]) => value),
    [0.646, 0.6469],
  );
  assert.deepEqual(
    of('llava-v1.5-7b', 'scienceqa', 'all').map(([method]) => method),
    ['vanilla', 'eta'],
  );
});
