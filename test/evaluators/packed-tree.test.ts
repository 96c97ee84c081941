import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { graphManifestSchema, readManifest } from '../../src/manifest/manifest.js';
import { cacheNames } from '../../src/onnx/cache-layout.js';
import { openGraph } from '../../src/onnx/graph.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { noStatistics } from '../../src/prefixes/index.js';
import { groupBranches, planTree } from '../../src/prefixes/tree.js';
import { RewardGraph } from '../../src/reward/graph.js';
import { BLOCKED, type PackedRun, packTree } from '../../src/reward/packed-tree.js';
import { goldenFolder } from './golden.js';

const PREFIX = Array.from({ length: 150 }, (_, i) => 2 + ((i * 31) % 250));
const BRANCHES = [
  [7, 9, 11, 40, 41],
  [8, 100, 101],
  [7, 9, 55, 56, 57, 58, 59],
];

let worker: EvaluatorWorker;
let graph: RewardGraph;
const statistics = noStatistics();

before(async () => {
  worker = await EvaluatorWorker.start({ threadCount: 1 });
  const folder = `${goldenFolder}reward-scalar`;
  const manifest = await readManifest(folder, graphManifestSchema);
  assert.ok(manifest.cache);
  assert.equal(cacheNames(manifest.cache).length, 4);
  const opened = await openGraph(worker, { path: `${folder}/model.onnx`, cache: manifest.cache, provider: 'cpu' });
  graph = new RewardGraph(worker, opened.session, manifest);
});
after(() => worker.dispose());

async function separateScores(): Promise<number[]> {
  const scores: number[] = [];
  for (const branch of BRANCHES) {
    const layout = packTree(0, [...PREFIX, ...branch], []);
    const { scores: found } = await graph.run(layout, { past: null, pastLength: 0, outputs: ['scores'], statistics });
    scores.push(found?.data.at(-1) ?? Number.NaN);
  }
  return scores;
}

/** The greatest difference from separate runs, after `change` has touched the layout. */
async function differenceWith(change: (layout: PackedRun) => PackedRun): Promise<number> {
  const { kept } = await graph.extend({ cache: null, ids: [] }, 0, PREFIX, { statistics });
  const layout = change(packTree(PREFIX.length, [], BRANCHES));
  const { scores } = await graph.run(layout, {
    past: kept.cache,
    pastLength: PREFIX.length,
    outputs: ['scores'],
    statistics,
  });
  const separate = await separateScores();
  return Math.max(
    ...layout.ends.map((end, b) => Math.abs((scores?.data[end] ?? Number.NaN) - (separate[b] ?? Number.NaN))),
  );
}

test('packed branches over a kept prefix score as separate runs within 1e-5', async () => {
  const difference = await differenceWith((layout) => layout);
  assert.ok(difference < 1e-5, `difference ${difference}`);
});

test('negative control: a mask that lets branches see each other is found out', async () => {
  const difference = await differenceWith((layout) => {
    const width = PREFIX.length + layout.ids.length;
    const mask = new Float32Array(layout.mask.length).fill(BLOCKED);
    for (let row = 0; row < layout.ids.length; row++) mask.fill(0, row * width, row * width + PREFIX.length + row + 1);
    return { ...layout, mask };
  });
  assert.ok(difference > 1e-3, `difference ${difference}`);
});

test('negative control: positions that run on from branch to branch are found out', async () => {
  const difference = await differenceWith((layout) => ({
    ...layout,
    positions: layout.ids.map((_, i) => PREFIX.length + i),
  }));
  assert.ok(difference > 1e-3, `difference ${difference}`);
});

test('a stem that travels with its branches is kept as the next cache', async () => {
  const { kept } = await graph.extend({ cache: null, ids: [] }, 0, PREFIX.slice(0, 140), { statistics });
  const cache = worker.nextId();
  const layout = packTree(140, PREFIX.slice(140), BRANCHES);
  const keep = { cache, length: PREFIX.length };
  const together = await graph.run(layout, {
    past: kept.cache,
    pastLength: 140,
    keep,
    outputs: ['scores'],
    statistics,
  });
  const again = packTree(PREFIX.length, [], BRANCHES);
  const next = await graph.run(again, { past: cache, pastLength: PREFIX.length, outputs: ['scores'], statistics });
  const separate = await separateScores();
  BRANCHES.forEach((_, b) => {
    const one = together['scores']?.data[layout.ends[b] ?? -1] ?? Number.NaN;
    const two = next['scores']?.data[again.ends[b] ?? -1] ?? Number.NaN;
    assert.ok(
      Math.abs(one - (separate[b] ?? Number.NaN)) < 1e-5 && Math.abs(two - (separate[b] ?? Number.NaN)) < 1e-5,
      `${one} ${two} ${separate[b]}`,
    );
  });
});

test('planTree reuses the longest common prefix, and leaves every branch its last token', () => {
  const tree = planTree(
    [
      [1, 2, 3, 4, 9],
      [1, 2, 3, 5, 9],
      [1, 2, 3, 9],
    ],
    [1, 2, 7],
  );
  assert.deepEqual(tree, { reused: 2, stem: [3], branches: [[4, 9], [5, 9], [9]] });
  assert.deepEqual(planTree([[1, 2, 3]], [1, 2, 3]), { reused: 2, stem: [], branches: [[3]] });
  assert.deepEqual(
    planTree(
      [
        [1, 2],
        [1, 2],
      ],
      [],
    ),
    { reused: 0, stem: [1], branches: [[2], [2]] },
  );
  // One candidate that begins another, whichever comes first: its last token is its own all the same.
  for (const [short, long] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const sequences: number[][] = [[], []];
    sequences[short] = [1, 2, 3];
    sequences[long] = [1, 2, 3, 4, 5];
    const branches: number[][] = [[], []];
    branches[short] = [3];
    branches[long] = [3, 4, 5];
    assert.deepEqual(planTree(sequences, [1, 2, 3, 4]), { reused: 2, stem: [], branches });
  }
});

test('packTree: positions begin anew in each branch and the mask is the tree', () => {
  const { ids, positions, mask, ends } = packTree(1, [5], [[6, 7], [8]]);
  assert.deepEqual(
    [ids, positions, ends],
    [
      [5, 6, 7, 8],
      [1, 2, 3, 2],
      [2, 3],
    ],
  );
  const seen = [...mask].map((value) => (value === 0 ? 1 : 0));
  assert.deepEqual(seen, [1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1]);
});

test('groupBranches keeps the order and the limit', () => {
  assert.deepEqual(groupBranches([[1, 1], [2], [3, 3, 3], [4]], 3), [[[1, 1], [2]], [[3, 3, 3]], [[4]]]);
  assert.deepEqual(groupBranches([[1], [2]], 0), [[[1]], [[2]]]);
});
