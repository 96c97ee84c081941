/**
 * A batch over a large table, through the code that really reads and writes, with an engine whose answers are planted: time,
 * largest memory and the longest stretch of the event loop (in processor time, so that a busy machine is not taken for it) of each way, a process
 * each. Every answer is checked.
 *
 *     node --import tsx bench/batch-formats.ts [--rows 1000000] [--only csv,parquet,…] [--folder DIR]
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type AnswersFormat,
  ResultsFile,
  readAnswers,
  readRequests,
  runBatch,
  writeAnswers,
} from '../src/batch/index.js';
import { separatedLine, writeParquet } from '../src/tables/index.js';
import { longestStretchMs } from '../test/stretch.js';
import { answer, planted, question } from './planted-eta.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    folder: { type: 'string' },
    /** What a process of its own does: this script starts it for each way. */
    way: { type: 'string' },
  },
});
const rowCount = Number(values.rows);

/** Ways in turn: what is read, whether the answers are there already, and what is written from them. */
interface Way {
  readonly input: 'jsonl' | 'csv' | 'parquet';
  readonly resume?: boolean;
  readonly ordered?: boolean;
  readonly write?: AnswersFormat;
}
const WAYS: Readonly<Record<string, Way>> = {
  'jsonl to jsonl': { input: 'jsonl' },
  'csv to jsonl': { input: 'csv' },
  'csv, all answered before': { input: 'csv', resume: true },
  'csv, put in order': { input: 'csv', resume: true, ordered: true },
  'parquet to jsonl': { input: 'parquet' },
  'answers as csv': { input: 'csv', write: 'csv' },
  'answers as parquet': { input: 'csv', write: 'parquet' },
  'answers as openai': { input: 'csv', write: 'openai' },
};

if (values.way === undefined) await measure();
else await run(WAYS[values.way] ?? { input: 'csv' }, values.folder ?? '.');

async function run(way: Way, folder: string): Promise<void> {
  const startedAt = performance.now();
  const path = join(
    folder,
    way.write === undefined && way.resume !== true ? `answers-of-${way.input}.jsonl` : 'answers-of-csv.jsonl',
  );
  const gapMs = await longestStretchMs(async () => await work(way, path, folder));
  const seconds = (performance.now() - startedAt) / 1000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  if (way.write === undefined && way.resume !== true) await check(path);
  console.log(JSON.stringify({ seconds, peakMiB, gapMs }));
}

async function work(way: Way, path: string, folder: string): Promise<void> {
  if (way.write === undefined) {
    const resume = way.resume === true;
    await using results = await ResultsFile.open({ path, settings: { seed: 1 }, resume, overwrite: !resume });
    const requests = readRequests(join(folder, `requests.${way.input}`));
    const { tally, keptCount } = await runBatch({ eta: planted(), requests, results, ordered: way.ordered ?? false });
    const isRight = tally.lineCount === rowCount && tally.errorCount === 0 && keptCount === (resume ? rowCount : 0);
    if (!isRight)
      throw new RangeError(`expected ${rowCount} answers, received ${JSON.stringify({ ...tally, keptCount })}`);
  } else await writeAnswers({ results: path, format: way.write });
}

/** Every row has its answer, once. */
async function check(path: string): Promise<void> {
  const met = new Uint8Array(rowCount);
  for await (const { id, text } of readAnswers(path)) {
    const row = Number(id?.slice(1));
    if (text !== answer(row) || met[row] !== 0) throw new RangeError(`${id}: ${text}`);
    met[row] = 1;
  }
  if (met.includes(0)) throw new RangeError(`no answer of row ${met.indexOf(0)}`);
}

async function measure(): Promise<void> {
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'eta-vlm-bench-formats-'));
  mkdirSync(folder, { recursive: true });
  await makeInputs(folder);
  const wanted = values.only?.split(',') ?? Object.keys(WAYS);
  console.log(`${rowCount} rows, 8 at once; Node ${process.version}`);
  console.log('way                          seconds   peak MiB   longest gap (ms)');
  for (const way of Object.keys(WAYS).filter((name) => wanted.some((one) => name.includes(one)))) {
    const script = fileURLToPath(import.meta.url);
    const args = ['--import', 'tsx', script, '--way', way, '--folder', folder, '--rows', values.rows];
    const ended = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    if (ended.status !== 0) throw new RangeError(`${way} ended with ${ended.status ?? ended.signal}`);
    const { seconds, peakMiB, gapMs } = JSON.parse(ended.stdout) as Record<string, number>;
    const cells = [seconds?.toFixed(1).padStart(7), peakMiB?.toFixed(0).padStart(8), gapMs?.toFixed(1).padStart(16)];
    console.log(`${way.padEnd(29)}${cells.join('   ')}`);
  }
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

async function makeInputs(folder: string): Promise<void> {
  const rows = function* () {
    for (let row = 0; row < rowCount; row++)
      yield { id: `r${row}`, prompt: question(row), image: `pictures/${row % 1000}.jpg` };
  };
  const lines = {
    jsonl: (row: object) => JSON.stringify(row),
    csv: (row: object) => separatedLine(Object.values(row)),
  };
  for (const [ending, line] of Object.entries(lines)) {
    const path = join(folder, `requests.${ending}`);
    if (existsSync(path) && statSync(path).size > 0) continue;
    const stream = createWriteStream(path);
    if (ending === 'csv') stream.write('id,prompt,image\n');
    for (const row of rows()) if (!stream.write(`${line(row)}\n`)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'close');
  }
  const path = join(folder, 'requests.parquet');
  if (existsSync(path)) return;
  const file = await open(path, 'w');
  const columns = ['id', 'prompt', 'image'].map((name) => ({ name, type: 'STRING' as const }));
  await writeParquet(
    file,
    columns,
    (async function* () {
      for (const row of rows()) yield Object.values(row);
    })(),
  );
  await file.close();
}
