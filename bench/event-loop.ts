/**
 * How long the event loop stands still while large inputs are read and written: for each row the length of the work and its
 * longest stretch without a turn, on the clock and in processor time of the main thread. Each row runs in a process of its own.
 *
 *     npm run build && node --import tsx bench/event-loop.ts [--only NAME[,NAME…]] [--root DIR]
 *
 * `--root` measures another built copy of the package, to compare two.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mainThreadMs } from '../test/stretch.js';
import { ROWS } from './event-loop-rows.js';

const LIMIT_MS = 50;

interface Found {
  readonly workMs: number;
  readonly gapMs: number;
  readonly busyGapMs: number;
}

/** The longest time between two turns of the event loop, by both clocks. */
async function measured(work: () => Promise<unknown>): Promise<Found> {
  const clocks = [() => performance.now(), mainThreadMs];
  const startedAt = performance.now();
  const last = clocks.map((clock) => clock());
  const longest = clocks.map(() => 0);
  const turn = () => {
    for (const [index, clock] of clocks.entries()) {
      const now = clock();
      longest[index] = Math.max(longest[index] ?? 0, now - (last[index] ?? now));
      last[index] = now;
    }
  };
  const timer = setInterval(turn, 1);
  await work();
  turn();
  clearInterval(timer);
  const [gapMs = Number.NaN, busyGapMs = Number.NaN] = longest;
  return { workMs: performance.now() - startedAt, gapMs, busyGapMs };
}

/** One row, in this process. */
async function run(name: string, root: string): Promise<Found> {
  const row = ROWS.find((one) => one.name === name);
  if (row === undefined) throw new Error(`no row ${name}; known: ${ROWS.map((one) => one.name).join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-event-loop-'));
  try {
    const work = await row.prepare({ folder, load: (path) => import(join(root, 'dist', path)) });
    return await measured(work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, root: { type: 'string' }, row: { type: 'string' } },
});
const root = resolve(values.root ?? fileURLToPath(new URL('..', import.meta.url)));

if (values.row !== undefined) {
  console.log(JSON.stringify(await run(values.row, root)));
  process.exit();
}

const only = values.only?.split(',');
console.log(`Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`);
console.log(`${'row'.padEnd(66)}${'work'.padStart(9)}${'gap'.padStart(9)}${'busy gap'.padStart(10)}`);
let overCount = 0;
for (const { name, what } of ROWS) {
  if (only !== undefined && !only.includes(name)) continue;
  const self = fileURLToPath(import.meta.url);
  const args = ['--import', 'tsx', self, '--row', name, '--root', root];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 600_000 });
  const label = `${name}: ${what}`.padEnd(66);
  if (status !== 0) {
    console.log(`${label}failed: ${stderr.trim().split('\n').at(-1) ?? status}`);
    overCount++;
    continue;
  }
  const { workMs, gapMs, busyGapMs } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Found;
  const isOver = busyGapMs > LIMIT_MS;
  if (isOver) overCount++;
  const columns = [`${workMs.toFixed(0)} ms`.padStart(9), `${gapMs.toFixed(0)} ms`.padStart(9)];
  console.log(`${label}${columns.join('')}${`${busyGapMs.toFixed(0)} ms`.padStart(10)}${isOver ? '  over' : ''}`);
}
console.log(`${overCount} over ${LIMIT_MS} ms`);
process.exitCode = overCount === 0 ? 0 : 1;
