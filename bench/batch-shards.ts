/**
 * What a batch in shards gains on this machine, and what joining them takes.
 *
 * Shards: the same requests about the miniature's pictures as 1, 2 and 4 shards, a process of the built command line each,
 * all at once; with 8 requests at once in each, and with --exact. Wall time with loading, and the largest memory of all
 * processes together. All take turns in rounds. Of --exact the merged lines are held against those of one process.
 * Merging: a million lines with planted answers in four files, joined by a process of its own, as they come and in the order
 * of the requests: time, largest memory, the longest stretch of the event loop (in processor time). Every line is checked.
 *
 *     npm run build && node --import tsx bench/batch-shards.ts [--requests 200] [--rounds 3] [--shards 1,2,4]
 *         [--rows 1000000] [--only shards|merge] [--folder DIR]
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mergeResults, ResultsFile, readAnswers, runBatch } from '../src/batch/index.js';
import { shardOf } from '../src/batch/shard.js';
import { longestStretchMs } from '../test/stretch.js';
import { galleryRequests } from './gallery-requests.js';
import { answer, planted, question } from './planted-eta.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    shards: { type: 'string', default: '1,2,4' },
    rows: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    folder: { type: 'string' },
    main: { type: 'string', default: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)) },
    /** Joins and prints what it took: what this script starts for each way. */
    merge: { type: 'string' },
  },
});
const rowCount = Number(values.rows);
const PARTS = 4;
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'eta-vlm-bench-shards-'));
mkdirSync(folder, { recursive: true });
const partPath = (part: number) => join(folder, `lines-${part}.jsonl`);

if (values.merge !== undefined) await merge(values.merge === 'ordered');
else {
  console.log(
    `${cpus()[0]?.model}, ${availableParallelism()} processors, Node ${process.version}; load ${loadavg()[0]?.toFixed(1)}`,
  );
  if (values.only !== 'merge') await measureShards();
  if (values.only !== 'shards') await measureMerge();
  console.log(`load at the end ${loadavg()[0]?.toFixed(1)}`);
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

async function measureShards(): Promise<void> {
  const requests = join(folder, 'requests.jsonl');
  const lines = galleryRequests(Number(values.requests)).map((request) => `${JSON.stringify(request)}\n`);
  writeFileSync(requests, lines.join(''));
  const counts = values.shards.split(',').map(Number);
  const ways = [[], ['--exact']].flatMap((more) => counts.map((count) => ({ count, more })));
  const taken = ways.map((): { seconds: number; peakMiB: number }[] => []);
  const [loads, wholes] = [[] as number[], new Set<string>()];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [at, { count, more }] of ways.entries()) {
      const outs = Array.from({ length: count }, (_, index) => join(folder, `answers-${index + 1}-of-${count}.jsonl`));
      taken[at]?.push(await runShards(requests, outs, more));
      if (more.length > 0) wholes.add(await answersIn(outs));
      loads.push(loadavg()[0] ?? 0);
    }
  }
  if (wholes.size > 1) throw new RangeError(`${wholes.size} different results of --exact`);
  console.log(
    `\n${values.requests} requests, ${values.rounds} rounds, loading included; load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  );
  console.log('shards                 seconds   times as fast   peak MiB, all');
  for (const [at, { count, more }] of ways.entries()) {
    const of = (row: number) => taken[row]?.map(({ seconds }) => seconds) ?? [];
    const first = at - counts.indexOf(count); // of one shard, in the same way
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
    const faster = mean(of(at).map((seconds, round) => (of(first)[round] ?? Number.NaN) / seconds));
    const peak = Math.max(...(taken[at] ?? []).map(({ peakMiB }) => peakMiB));
    const name = `${count} ${more.join(' ')}`.padEnd(20);
    console.log(
      `${name}${mean(of(at)).toFixed(1).padStart(10)}${faster.toFixed(2).padStart(16)}${peak.toFixed(0).padStart(16)}`,
    );
  }
}

/** A process for each shard, all at once. */
async function runShards(requests: string, outs: readonly string[], more: readonly string[]) {
  const beganAt = performance.now();
  const children = outs.map((out, index) => {
    const args = ['batch', requests, '--out', out, '--overwrite', '--max-tokens', '96', ...more];
    return spawn(process.execPath, [values.main, ...args, '--shard', `${index + 1}/${outs.length}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  });
  const peaks = children.map(() => 0);
  const timer = setInterval(() => {
    for (const [at, { pid }] of children.entries()) peaks[at] = Math.max(peaks[at] ?? 0, peakOf(pid));
  }, 50);
  const said = children.map((child) => child.stderr.toArray());
  const codes = await Promise.all(children.map(async (child) => ((await once(child, 'close')) as [number | null])[0]));
  clearInterval(timer);
  const seconds = (performance.now() - beganAt) / 1000;
  const wrong = codes.findIndex((code) => code !== 0);
  if (wrong >= 0) throw new RangeError(`a shard ended with ${codes[wrong]}: ${(await said[wrong])?.join('')}`);
  return { seconds, peakMiB: peaks.reduce((sum, peak) => sum + peak, 0) };
}

/** MiB that a process has held at most, as Linux tells it; 0 of one that is gone. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Answers and verdicts by id: what --exact promises. */
async function answersIn(paths: readonly string[]): Promise<string> {
  const found: string[] = [];
  for (const path of paths)
    for await (const { id, text, verdict, error } of readAnswers(path))
      found.push(JSON.stringify({ id, text, verdict, error }));
  return found.sort().join('\n');
}

async function measureMerge(): Promise<void> {
  await makeParts();
  const bytes = [1, 2, 3, 4].reduce((sum, part) => sum + statSync(partPath(part)).size, 0);
  console.log(`\n${rowCount} lines in ${PARTS} files, ${(bytes / 2 ** 20).toFixed(0)} MiB`);
  console.log('merge                  seconds   peak MiB   longest stretch (ms)');
  for (const way of ['as they come', 'ordered']) {
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--merge', way, '--folder', folder];
    const ended = spawnSync(process.execPath, [...args, '--rows', values.rows], { encoding: 'utf8' });
    if (ended.status !== 0) throw new RangeError(`${way} ended with ${ended.status ?? ended.signal}: ${ended.stderr}`);
    const { seconds, peakMiB, stretchMs } = JSON.parse(ended.stdout) as Record<string, number>;
    console.log(
      `${way.padEnd(20)}${seconds?.toFixed(1).padStart(10)}${peakMiB?.toFixed(0).padStart(11)}${stretchMs?.toFixed(1).padStart(23)}`,
    );
  }
}

/** Four results files of one batch, each with the lines that belong to its shard. */
async function makeParts(): Promise<void> {
  const pattern = join(folder, 'pattern.jsonl');
  {
    await using results = await ResultsFile.open({ path: pattern, settings: { seed: 1 }, overwrite: true });
    await runBatch({ eta: planted(), requests: [{ id: 'r0', request: { prompt: question(0) } }], results });
  }
  const line = JSON.parse(readFileSync(pattern, 'utf8')) as object;
  for (let part = 1; part <= PARTS; part++) {
    const settings = { seed: 1, shard: `${part}/${PARTS}` };
    await using results = await ResultsFile.open({ path: partPath(part), settings, overwrite: true });
    await results.addWhole(
      (async function* () {
        for (let row = 0; row < rowCount; row++) {
          const id = `r${row}`;
          if (shardOf(id, PARTS) === part)
            yield Buffer.from(`${JSON.stringify({ ...line, id, line: row + 1, text: answer(row) })}\n`);
        }
      })(),
    );
  }
}

async function merge(ordered: boolean): Promise<void> {
  const out = join(folder, 'merged.jsonl');
  const startedAt = performance.now();
  const stretchMs = await longestStretchMs(async () => {
    const paths = Array.from({ length: PARTS }, (_, part) => partPath(part + 1));
    await mergeResults({ paths, out, ordered, overwrite: true });
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  const met = new Uint8Array(rowCount);
  let last = -1;
  for await (const { id, text } of readAnswers(out)) {
    const row = Number(id?.slice(1));
    if (text !== answer(row) || met[row] !== 0 || (ordered && row !== last + 1)) throw new RangeError(`${id}: ${text}`);
    met[row] = 1;
    last = row;
  }
  if (met.includes(0)) throw new RangeError(`no line of row ${met.indexOf(0)}`);
  console.log(JSON.stringify({ seconds, peakMiB, stretchMs }));
}
