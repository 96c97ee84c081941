/**
 * Memory that comes back: the process's resident size before anything is loaded, after an answer, and after the models
 * were let go, round by round; by `unload` of one Eta, and by `dispose` of one after the other. Beside it how long the
 * request waits that loads again, and how long the event loop stands still meanwhile (limit 50 ms). Each runs in a process
 * of its own.
 *
 *     npm run build && node --import tsx bench/unload.ts [--models NAME|FOLDER | --random 160m|1.1b] [--rounds 5]
 *         [--evaluator-device webgpu]
 *
 * The model's file is mapped: its pages count while it is loaded, and go with it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type * as Package from '../src/index.js';
import { resolveModels } from '../src/models/index.js';
import { SHAPES } from '../test/engine/hollow-model.js';
import { longestStretchMs } from '../test/stretch.js';
import { randomModel } from './random-model.js';

const WAYS = ['unload', 'dispose'] as const;
const LIMIT_MS = 50;
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'miniature' },
    random: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'evaluator-device': { type: 'string', default: 'cpu' },
    way: { type: 'string' },
    load: { type: 'string' },
  },
});

interface Round {
  readonly loadedMib: number;
  readonly freedMib: number;
  readonly loadMs: number;
  readonly gapMs: number;
}

interface Found {
  readonly beforeMib: number;
  readonly rounds: readonly Round[];
}

/** VmRSS, after what nobody holds is collected. */
function residentMib(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

async function run(way: (typeof WAYS)[number], options: Package.LoadEtaOptions, roundCount: number): Promise<Found> {
  const { loadEta } = (await import(join(root, 'dist', 'index.js'))) as typeof Package;
  const request = {
    prompt: 'Explain how I can make this.',
    image: join(root, 'models', 'miniature', 'pictures', 'drawn-08.png'),
    seed: 1,
    maxTokens: 12,
    sentenceTokenLimit: 6,
    thresholds: { unsafeClipScore: -1, safeReward: 1e6 },
  };
  const beforeMib = residentMib();
  let eta = await loadEta(options);
  if (way === 'unload') await eta.unload();
  else await eta.dispose();
  const rounds: Round[] = [];
  for (let round = 0; round < roundCount; round++) {
    let loadMs = 0;
    const gapMs = await longestStretchMs(async () => {
      const startedAt = performance.now();
      if (way === 'dispose') eta = await loadEta(options);
      const result = await eta.respond(request);
      loadMs = performance.now() - startedAt - result.timings.totalMs;
    });
    const loadedMib = residentMib();
    if (way === 'unload') await eta.unload();
    else await eta.dispose();
    rounds.push({ loadedMib, freedMib: residentMib(), loadMs, gapMs });
  }
  if (way === 'unload') await eta.dispose();
  return { beforeMib, rounds };
}

if (values.way !== undefined) {
  const found = await run(values.way as 'unload', JSON.parse(values.load ?? '{}'), Number(values.rounds));
  console.log(JSON.stringify(found));
  process.exit();
}

const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-unload-'));
try {
  const shipped = await resolveModels(values.random === undefined ? values.models : 'miniature');
  const { languageModel, projector, clip, rewardModel } =
    values.random === undefined
      ? shipped
      : { ...shipped, ...randomModel(folder, SHAPES[values.random as keyof typeof SHAPES], 'q8_0') };
  const load = {
    models: { languageModel, projector, clip, rewardModel },
    evaluatorDevice: values['evaluator-device'],
  };
  console.log(`${values.random ?? values.models}, evaluators on ${values['evaluator-device']}`);
  console.log(
    `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; MiB, ms`,
  );
  console.log('way       round  before  loaded   freed    load   gap');
  let isWithin = true;
  for (const way of WAYS) {
    const self = fileURLToPath(import.meta.url);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', self, '--way', way, '--rounds', values.rounds, '--load', JSON.stringify(load)],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
    const { beforeMib, rounds } = JSON.parse(stdout) as Found;
    for (const [index, { loadedMib, freedMib, loadMs, gapMs }] of rounds.entries()) {
      const numbers = [beforeMib, loadedMib, freedMib, loadMs].map((value) => value.toFixed(0).padStart(8)).join('');
      console.log(`${way.padEnd(10)}${String(index + 1).padStart(5)}${numbers}${gapMs.toFixed(0).padStart(6)}`);
      if (gapMs > LIMIT_MS) isWithin = false;
    }
  }
  process.exitCode = isWithin ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
