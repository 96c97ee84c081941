/**
 * What a batch gains: the same requests about the miniature's pictures by `eta-vlm ask`, a process each; one after another
 * in one process; and as a batch with 1, 2, 4, 8, 16 at once. All take turns in rounds, so that ratios hold on a machine
 * that does other work; peak memory is that of a process of its own.
 *
 *     npm run build && node --import tsx bench/batch.ts [--requests 200] [--rounds 5] [--concurrency 1,2,4,8,16] [--asks 200]
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BatchRequest, ResultsFile, roomFor, runBatch, seedOf, settingsOf } from '../src/batch/index.js';
import { type Eta, loadEta } from '../src/index.js';
import { galleryRequests } from './gallery-requests.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '1,2,4,8,16' },
    /** How many of the requests are asked by a process each. */
    asks: { type: 'string', default: '200' },
    threads: { type: 'string' },
    main: { type: 'string', default: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)) },
    /** Answers the first round with so many at once and prints its peak memory: what this script starts for each. */
    memory: { type: 'string' },
  },
});
const MAX_TOKENS = 96;
const [requestCount, roundCount, askCount] = [values.requests, values.rounds, values.asks].map(Number) as [
  number,
  number,
  number,
];
const concurrencies = values.concurrency.split(',').map(Number);
const threads = values.threads === undefined ? {} : { threadCount: Number(values.threads) };
const requests: BatchRequest[] = galleryRequests(requestCount).map(({ id, ...request }) => ({ id, request }));
const roundSize = Math.ceil(requestCount / roundCount);
const rounds = Array.from({ length: roundCount }, (_, i) => requests.slice(i * roundSize, (i + 1) * roundSize));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-bench-batch-'));
const load = async (concurrency: number) =>
  await loadEta({ ...roomFor(concurrency, { maxTokens: MAX_TOKENS }), maxTokens: MAX_TOKENS, ...threads });

async function batch(eta: Eta, asked: readonly BatchRequest[], concurrency: number): Promise<void> {
  const settings = await settingsOf(eta.facts, { seed: 1 });
  await using results = await ResultsFile.open({ path: join(folder, 'answers.jsonl'), settings, overwrite: true });
  await runBatch({ eta, requests: asked, results, concurrency });
}
async function oneByOne(eta: Eta, asked: readonly BatchRequest[]): Promise<void> {
  for (const { id, request } of asked) await eta.respond({ ...request, seed: seedOf(1, id) });
}
async function ask({ id, request }: BatchRequest): Promise<void> {
  const args = ['ask', '--json', '--max-tokens', String(MAX_TOKENS), '--seed', String(seedOf(1, id))];
  if (threads.threadCount !== undefined) args.push('--threads', String(threads.threadCount));
  const child = spawn(
    process.execPath,
    [values.main, ...args, '--image', String(request.image), request.prompt ?? ''],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  await once(child, 'close');
}

if (values.memory !== undefined) {
  await using eta = await load(Number(values.memory));
  await batch(eta, rounds[0] ?? [], Number(values.memory));
  console.log(process.resourceUsage().maxRSS * 1024);
} else await measure();
rmSync(folder, { recursive: true });

async function measure(): Promise<void> {
  const asksOfRound = Math.round(askCount / roundCount);
  const ways: { name: string; run: (asked: readonly BatchRequest[]) => Promise<void>; count: number }[] = [];
  const etas: Eta[] = [];
  const startedAt = performance.now();
  for (const concurrency of concurrencies) {
    const eta = await load(concurrency);
    etas.push(eta);
    ways.push({
      name: `batch, ${concurrency} at once`,
      run: (asked) => batch(eta, asked, concurrency),
      count: roundSize,
    });
  }
  const loadMs = (performance.now() - startedAt) / concurrencies.length;
  const [first] = etas;
  if (first === undefined) return;
  ways.unshift({ name: 'one by one', run: (asked) => oneByOne(first, asked), count: roundSize });
  const byAsk = async (asked: readonly BatchRequest[]) => {
    for (const request of asked) await ask(request);
  };
  if (asksOfRound > 0) ways.unshift({ name: 'eta-vlm ask, each', run: byAsk, count: asksOfRound });

  for (const eta of etas) await oneByOne(eta, requests.slice(0, 4)); // warm
  /** Milliseconds a request, by way and round. */
  const times = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const cpuTimes = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const loads: number[] = [];
  for (const asked of rounds) {
    for (const { name, run, count } of ways) {
      const cpu = process.cpuUsage();
      const beganAt = performance.now();
      await run(asked.slice(0, count));
      times.get(name)?.push((performance.now() - beganAt) / Math.min(count, asked.length));
      const { user, system } = process.cpuUsage(cpu);
      cpuTimes.get(name)?.push((user + system) / 1000 / Math.min(count, asked.length));
    }
    loads.push(loadavg()[0] ?? 0);
  }
  for (const eta of etas) await eta.dispose();

  const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const of = (name: string) => times.get(name) ?? [];
  /** Mean of the ratios of one round, in which all ways were measured one after another. */
  const faster = (name: string, than: string) => mean(of(name).map((ms, i) => (of(than)[i] ?? Number.NaN) / ms));
  console.log(
    `${requestCount} requests in ${roundCount} rounds, ${MAX_TOKENS} tokens at most, ${asksOfRound * roundCount} of them by ask; ` +
      `${cpus()[0]?.model}, ${availableParallelism()} processors, Node ${process.version}; load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; loading ${loadMs.toFixed(0)} ms`,
  );
  console.log('way                   ms a request   CPU ms   x ask   x one by one   peak MiB');
  for (const { name } of ways) {
    const concurrency = /batch, (\d+)/.exec(name)?.[1];
    const cells = [
      mean(of(name)).toFixed(0).padStart(12),
      name.startsWith('eta-vlm')
        ? '-'.padStart(6)
        : mean(cpuTimes.get(name) ?? [])
            .toFixed(0)
            .padStart(6),
      (asksOfRound > 0 ? faster(name, 'eta-vlm ask, each').toFixed(1) : '-').padStart(5),
      faster(name, 'one by one').toFixed(2).padStart(12),
      (concurrency === undefined ? '-' : peakMiB(concurrency)).padStart(8),
    ];
    console.log(`${name.padEnd(22)}${cells.join('   ')}`);
  }
}

function peakMiB(concurrency: string): string {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), '--memory', concurrency];
  const more = ['--requests', values.requests, '--rounds', values.rounds];
  const ended = spawnSync(process.execPath, [...args, ...more], { encoding: 'utf8' });
  return ended.status === 0 ? (Number(ended.stdout) / 2 ** 20).toFixed(0) : 'failed';
}
