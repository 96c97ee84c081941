/**
 * Builds of the addon beside each other: prefill, decode and the vision encoder of LLaVA-1.5's shape (ViT-L/14-336, F16),
 * with each number of threads. Every build has a process of its own; they work in turns, so that other work hits all alike.
 *
 *     node --import tsx bench/addons.ts NAME=ADDON.node [NAME=ADDON.node …] [--model 160m|1.1b|7b] [--weights q8_0]
 *                                       [--threads 1,2] [--rounds 5]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Model } from '../src/engine/index.js';
import { type HollowWeights, SHAPES } from '../test/engine/hollow-model.js';
import { median, tokenRow } from './engine-model.js';
import { randomModel } from './random-model.js';

const PREFILL_TOKENS = 256;
const DECODE_TOKENS = 32;
const SIDE = 336;
const TASKS = ['prefill', 'decode', 'encode'] as const;

type Task = (typeof TASKS)[number];

interface Order {
  readonly task: Task;
  readonly threads: number;
}

interface Files {
  readonly languageModel: string;
  readonly projector: string;
}

/** A build's own process: does what it is told and says how many milliseconds it took. */
async function work(files: Files): Promise<void> {
  const models = new Map<number, Model>();
  process.on('message', async ({ task, threads }: Order) => {
    const known = models.get(threads);
    const model = known ?? (await load(files, threads));
    models.set(threads, model);
    process.send?.(await measure(model, task));
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}

const load = ({ languageModel, projector }: Files, threadCount: number) =>
  Model.load({ modelPath: languageModel, projectorPath: projector, threadCount });

async function measure(model: Model, task: Task): Promise<number> {
  if (task === 'encode') {
    const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, index) => (index * 7919) % 251);
    const startedAt = performance.now();
    const image = await model.encodeImage({ data, width: SIDE, height: SIDE });
    const elapsed = performance.now() - startedAt;
    image.dispose();
    return elapsed;
  }
  await using context = await model.createContext({ contextSize: 1024, sequenceCount: 1 });
  await using lease = await context.reserve({ cellCount: 1000, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  const startedAt = performance.now();
  await sequence.prefill([tokenRow(model, PREFILL_TOKENS)]);
  const prefilledAt = performance.now();
  if (task === 'prefill') return prefilledAt - startedAt;
  await sequence.decode({ sampler: { temperature: 0 }, maxTokens: DECODE_TOKENS });
  return (performance.now() - prefilledAt) / DECODE_TOKENS;
}

async function ask(child: ChildProcess, order: Order): Promise<number> {
  const answer = Promise.race([
    once(child, 'message').then(([value]) => Number(value)),
    once(child, 'exit').then(([code, signal]) =>
      Promise.reject(new Error(`${child.spawnfile} ended with ${code ?? signal}`)),
    ),
  ]);
  child.send(order);
  return answer;
}

async function compare(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: '160m' },
      weights: { type: 'string', default: 'q8_0' },
      threads: { type: 'string', default: '1,2' },
      rounds: { type: 'string', default: '5' },
    },
  });
  const addons = positionals.map((text) => text.split('=')).filter((parts) => parts.length === 2);
  const shape = Object.entries(SHAPES).find(([name]) => name === values.model)?.[1];
  if (addons.length === 0 || addons.length !== positionals.length || shape === undefined) {
    throw new Error(
      'usage: addons.ts NAME=ADDON.node … [--model 160m|1.1b|7b] [--weights q8_0] [--threads 1,2] [--rounds 5]',
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-addons-'));
  const children: ChildProcess[] = [];
  try {
    const files = randomModel(folder, shape, values.weights as HollowWeights);
    for (const [, addon = ''] of addons) {
      const env = { ...process.env, ETA_VLM_ADDON: resolve(addon) };
      const child = fork(fileURLToPath(import.meta.url), [], {
        env: { ...env, ETA_BENCH_FILES: JSON.stringify(files) },
      });
      children.push(child);
      await once(child, 'message');
    }
    console.log(
      `${values.model} in ${values.weights} with ViT-L/14-336 in F16, median of ${values.rounds}, least in brackets; ` +
        `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`,
    );
    for (const threads of values.threads.split(',').map(Number)) {
      for (const task of TASKS) {
        const times = addons.map((): number[] => []);
        for (const child of children) await ask(child, { task, threads }); // warm
        for (let round = 0; round < Number(values.rounds); round++) {
          for (const [index, child] of children.entries()) times[index]?.push(await ask(child, { task, threads }));
        }
        const first = median(times[0] ?? []);
        const columns = addons.map(([name], index) => {
          const own = times[index] ?? [];
          const ratio = (median(own) / first).toFixed(2);
          return `${name} ${median(own).toFixed(1)} (${Math.min(...own).toFixed(1)}) ms, ${ratio}`;
        });
        console.log(`${threads} thread${threads === 1 ? ' ' : 's'} ${task.padEnd(7)}  ${columns.join('   ')}`);
      }
    }
    console.log(`load at the end ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    for (const child of children) child.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

const given = process.env['ETA_BENCH_FILES'];
await (given === undefined ? compare() : work(JSON.parse(given) as Files));
