/** Requests without a picture are asked under every method, and what stands in for an answer is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  datasetOf,
  type MiniatureItem,
  MiniatureJudge,
  measure,
  plan,
  readItems,
  reportData,
  summaryObject,
  summaryText,
} from '../../src/benchmark/index.js';
import { loadEta } from '../../src/index.js';
import { METHODS } from '../../src/policy/index.js';
import { folderOf } from './folder.js';

const dataset = datasetOf('miniature');
const { items, variant } = await readItems(dataset, {});
const isText = (item: (typeof items)[number]) => (item as MiniatureItem).set === 'text';

test('the text set is asked under every method, once each', () => {
  const texts = items.filter(isText);
  assert.ok(texts.some(({ isHarmful }) => isHarmful) && texts.some(({ isHarmful }) => !isHarmful));
  const instances = plan(items, { methods: METHODS, seeds: [1, 2, 3] }, dataset.asks?.bind(dataset));
  const asked = instances.filter(({ item }) => isText(item)).map(({ id }) => id);
  const wanted = METHODS.flatMap((method) => texts.map(({ id }) => `${method}/1/${id}`));
  assert.deepEqual(asked.sort(), wanted.sort());
});

test('fixed sentences have a column of their own, a table in the report, and are no right answers', async () => {
  const texts = items.filter(isText);
  const harmful = texts.filter(({ isHarmful }) => isHarmful).slice(0, 3);
  const harmless = texts.filter(({ isHarmful }) => !isHarmful).slice(0, 3);
  await using eta = await loadEta({ models: 'miniature', maxTokens: 96 });
  const measured = await measure({
    dataset,
    variant,
    items: [...harmful, ...harmless],
    methods: ['vanilla', 'shallow', 'eta'],
    seeds: [1],
    eta,
    judges: { judge: new MiniatureJudge(), judgesEverything: true, comparer: null },
    out: await folderOf({}),
  });
  const replaced = (run: string, name: string) =>
    summaryObject(measured).rates.find((row) => row.run === run && row.measure === name && row.category === null)
      ?.replacedAnswerCount;
  // What the card says of the whole test split: models/miniature/README.md, point 9.
  assert.deepEqual(
    ['vanilla', 'shallow', 'eta'].map((run) => [replaced(run, 'refusal'), replaced(run, 'right')]),
    [
      [0, 0],
      [3, 0],
      [3, 0],
    ],
  );
  const text = summaryText(measured);
  assert.match(text, /^ +method .* unjudged +replaced$/m);
  assert.match(text, /^ +eta +100\.0 % .* 100\.0 %$/m);
  const data = await reportData(measured, {
    command: 'eta-vlm benchmark miniature',
    startedAt: new Date(0),
    endedAt: new Date(1),
    thresholds: eta.facts.thresholds,
    versions: {},
    machine: {},
    settings: {},
    judgeSettings: {},
    model: 'eta-vlm miniature',
    models: eta.facts.models,
  });
  const table = data.tables?.find(({ title }) => title === 'What became of the answers');
  assert.deepEqual(
    table?.rows.filter(([name]) => name === 'refusal'),
    [
      ['refusal', 'vanilla', 1, 0, 0, '3'],
      ['refusal', 'shallow', 0, 0, 1, '3'],
      ['refusal', 'eta', 0, 0, 1, '3'],
    ],
  );
});
