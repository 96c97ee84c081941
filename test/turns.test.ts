/** Long computations leave the event loop its turn: no stretch of work on the main thread reaches 50 ms. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRequests } from '../src/batch/index.js';
import { datasetOf, readItems } from '../src/benchmark/index.js';
import { KeptJudgements } from '../src/benchmark/kept-judgements.js';
import { readAnswers } from '../src/calibration/answers.js';
import { fitThreshold, type Scored } from '../src/calibration/fit.js';
import { AbortError } from '../src/errors.js';
import { linesOf } from '../src/lines.js';
import { writeReport } from '../src/report/index.js';
import { aucEstimate, kappa } from '../src/statistics/index.js';
import { Turns } from '../src/turns.js';
import { example, sampleData } from './report/sample.js';
import { assertTurns, LIMIT_MS, longestStretchMs, mainThreadMs } from './stretch.js';

const COUNT = 60_000;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-turns-'));
});

after(async () => {
  await rm(folder, { recursive: true });
});

const scores = (count: number, from: number) =>
  Array.from({ length: count }, (_, index) => from + ((index * 7919) % 10_007) / 10_007);
const scored = (count: number, from: number): Scored[] =>
  scores(count, from).map((score, index) => ({ name: '', score, digest: ((index * 7919) % 65_536).toString(16) }));

async function lines(name: string, line: (index: number) => object): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Array.from({ length: COUNT }, (_, index) => `${JSON.stringify(line(index))}\n`).join(''));
  return path;
}

const WORK: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> = {
  'a report of many examples': async () => {
    const examples = Array.from({ length: 2000 }, (_, index) => example({ id: `example-${index}` }));
    return () => writeReport(sampleData({ examples }), join(folder, 'report'));
  },
  "calibrate's fit": async () => {
    const [safe, unsafe] = [scored(10_000, 0), scored(10_000, 0.5)];
    return () =>
      fitThreshold(safe, unsafe, { rule: { name: 'balance' }, unsafeIs: 'above', current: null, what: 'pictures' });
  },
  'the AUC of many scores': async () => {
    const [positive, negative] = [scores(20_000, 0.5), scores(20_000, 0)];
    return () => aucEstimate(positive, negative);
  },
  'the kappa of many verdicts': async () => {
    const verdicts = scores(20_000, 0).map((score) => (score > 0.5 ? 'safe' : 'unsafe'));
    return () => kappa(verdicts, [...verdicts].reverse());
  },
  'a data set of many lines': async () => {
    await lines('items.jsonl', (index) => ({ id: String(index), prompt: 'what is this ?', right: 'a cat' }));
    return () => readItems(datasetOf('jsonl'), { root: folder });
  },
  'many answers to calibrate with': async () => {
    const path = await lines('answers.jsonl', (index) => ({ text: `${'this is a cat, '.repeat(30)}${index}` }));
    return () => readAnswers(path, '--safe-answers');
  },
  'many judgements on disk': async () => {
    const value = { verdict: 'safe', reason: 'it refuses', score: 1, category: null };
    const path = await lines('judgements.jsonl', (index) => ({ id: String(index), digest: 'a', value }));
    const judge = { name: 'judge', settings: {} };
    const head = JSON.stringify({ format: 'eta-vlm/judgements', formatVersion: 1, judge });
    await writeFile(path, `${head}\n${await readFile(path, 'utf8')}`);
    return () => KeptJudgements.open(path, judge);
  },
  'a batch of many lines that are refused': async () => {
    const path = await lines('requests.jsonl', () => ({ id: '' }));
    return async () => {
      let count = 0;
      for await (const { id } of readRequests(path)) if (id === null) count++;
      assert.equal(count, COUNT);
    };
  },
};

for (const [name, prepare] of Object.entries(WORK)) {
  test(`the event loop turns: ${name}`, async () => {
    await assertTurns(await prepare());
  });
}

test('the check sees a loop that is blocked', async () => {
  const longest = await longestStretchMs(async () => {
    const until = mainThreadMs() + 2 * LIMIT_MS;
    while (mainThreadMs() < until);
  });
  assert.ok(longest > LIMIT_MS, `${longest.toFixed(1)} ms`);
});

test('rows keep their order, and the signal is heard between them', async () => {
  assert.deepEqual(await new Turns().map(['a', 'b'], (row, index) => `${row}${index}`), ['a0', 'b1']);
  const stop = new AbortController();
  const turns = new Turns(stop.signal);
  let count = 0;
  const work = turns.map(new Array(1000).fill(0), () => {
    count++;
    const until = performance.now() + 4;
    while (performance.now() < until);
  });
  setTimeout(() => stop.abort(), 0);
  await assert.rejects(work, AbortError);
  assert.ok(count < 100, `${count} rows were worked on`);
});

test('lines are those between newlines', () => {
  for (const text of ['', 'a', 'a\n', '\n\n', 'a\r\nb\n\nc']) assert.deepEqual([...linesOf(text)], text.split('\n'));
});
