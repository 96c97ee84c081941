/**
 * Builds of the addon beside each other: prefill, decode and the vision encoder of LLaVA-1.5's shape (ViT-L/14-336, F16),
 * with each number of threads. Every build has a process of its own; they work in turns, so that other work hits all alike.
 * CPU time stands beside wall time, because it holds on a machine that has other work too.
 *
 *     node --import tsx bench/addons.ts NAME=ADDON.node [NAME=ADDON.node …] [--model 160m|1.1b|7b] [--weights q8_0]
 *                                       [--threads 1,2] [--rounds 5] [--tasks prefill,decode,encode]
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

interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** A build's own process: does what it is told and says how long it took. */
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

async function measure(model: Model, task: Task): Promise<Took> {
  if (task === 'encode') {
    const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, index) => (index * 7919) % 251);
    return await timed(async () => (await model.encodeImage({ data, width: SIDE, height: SIDE })).dispose());
  }
  await using context = await model.createContext({ contextSize: 1024, sequenceCount: 1 });
  await using lease = await context.reserve({ cellCount: 1000, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  const prefill = () => sequence.prefill([tokenRow(model, PREFILL_TOKENS)]);
  if (task === 'prefill') return await timed(prefill);
  await prefill();
  const { wallMs, cpuMs } = await timed(() =>
    sequence.decode({ sampler: { temperature: 0 }, maxTokens: DECODE_TOKENS }),
  );
  return { wallMs: wallMs / DECODE_TOKENS, cpuMs: cpuMs / DECODE_TOKENS };
}

async function timed(doing: () => Promise<unknown>): Promise<Took> {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  await doing();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
}

/** A child that ends instead of answering fails the bench. */
function ask(child: ChildProcess, order: Order): Promise<Took> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null) => reject(new Error(`${child.spawnfile} ended with ${code}`));
    child.once('exit', fail);
    child.once('message', (took) => {
      child.off('exit', fail);
      resolve(took as Took);
    });
    child.send(order);
  });
}

async function compare(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: '160m' },
      weights: { type: 'string', default: 'q8_0' },
      threads: { type: 'string', default: '1,2' },
      rounds: { type: 'string', default: '5' },
      tasks: { type: 'string', default: TASKS.join(',') },
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
      `${values.model} in ${values.weights} with ViT-L/14-336 in F16, median of ${values.rounds} (least), CPU time, its ratio to the first; ` +
        `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`,
    );
    for (const threads of values.threads.split(',').map(Number)) {
      for (const task of TASKS.filter((name) => values.tasks.split(',').includes(name))) {
        const times = addons.map((): Took[] => []);
        for (const child of children) await ask(child, { task, threads }); // warm
        for (let round = 0; round < Number(values.rounds); round++) {
          for (const [index, child] of children.entries()) times[index]?.push(await ask(child, { task, threads }));
        }
        const [first = Number.NaN] = times.map((own) => median(own.map(({ cpuMs }) => cpuMs)));
        const columns = addons.map(([name], index) => {
          const own = times[index] ?? [];
          const walls = own.map(({ wallMs }) => wallMs);
          const cpu = median(own.map(({ cpuMs }) => cpuMs));
          const wall = `${median(walls).toFixed(1)} (${Math.min(...walls).toFixed(1)})`;
          return `${name} ${wall} ms, CPU ${cpu.toFixed(1)}, ${(cpu / first).toFixed(2)}`;
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
