/**
 * Tokens a second with one thread, with all, and with as many as are measured to be best while it runs: on the machine as
 * it is, beside one busy process, and beside twenty. All three in turn, in one process, on one model.
 *
 *     node --import tsx bench/threads.ts [--model FILE|smallest|160m|1.1b|7b] [--weights q8_0] [--tokens 64] [--prefix 64]
 *                                        [--sequences 1] [--repeat 7] [--busy 0,1,20]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Context } from '../src/engine/index.js';
import { keepBusy } from './busy.js';
import { benchModel, median, tokenRow } from './engine-model.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '160m' },
    weights: { type: 'string', default: 'q8_0' },
    tokens: { type: 'string', default: '64' },
    prefix: { type: 'string', default: '64' },
    sequences: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '7' },
    busy: { type: 'string', default: '0,1,20' },
  },
});
const [tokens, prefix, sequences, repeat] = [values.tokens, values.prefix, values.sequences, values.repeat].map(
  Number,
) as [number, number, number, number];

await using model = await benchModel({
  model: values.model,
  weights: values.weights as 'q8_0',
  threadCount: undefined,
});
const size = { contextSize: 4096, sequenceCount: sequences + 1 };
const most = model.threadCount;
const contexts = new Map<string, Context>([
  ['1', await model.createContext({ ...size, threadCount: 1 })],
  [String(most), await model.createContext({ ...size, threadCount: most })],
  ['measured', await model.createContext(size)],
]);

/** Tokens a second of all sequences together, and milliseconds a row of the prefill. */
async function run(context: Context, seed: number): Promise<{ rate: number; prefillMs: number; threads: number }> {
  await using lease = await context.reserve({ cellCount: 3500, sequenceCount: sequences + 1 });
  const parent = await lease.createSequence();
  const begunAt = performance.now();
  await parent.prefill([tokenRow(model, prefix, seed)]);
  const prefillMs = (performance.now() - begunAt) / prefix;
  const lanes = await parent.fork(sequences);
  await Promise.all(lanes.map((lane, index) => lane.prefill([tokenRow(model, 1, 1 + index)])));
  const startedAt = performance.now();
  await Promise.all(lanes.map((lane) => lane.decode({ sampler: { temperature: 0 }, maxTokens: tokens })));
  const rate = (tokens * sequences * 1000) / (performance.now() - startedAt);
  const { threadCount } = await context.statistics();
  return { rate, prefillMs, threads: threadCount };
}

console.log(
  `${model.name}, ${(model.facts.sizeBytes / 2 ** 20).toFixed(0)} MiB; ${sequences} sequences, ${tokens} tokens each behind ` +
    `${prefix}; median of ${repeat}; Node ${process.version}`,
);
for (const count of values.busy.split(',').map(Number)) {
  const leave = await keepBusy(count);
  const found = new Map<string, Awaited<ReturnType<typeof run>>[]>();
  for (let turn = -1; turn < repeat; turn++) {
    for (const [name, context] of contexts) {
      const result = await run(context, turn + 1);
      if (turn >= 0) found.set(name, [...(found.get(name) ?? []), result]);
    }
  }
  leave();
  console.log(`beside ${count} busy processes (load ${loadavg()[0]?.toFixed(1)})`);
  for (const [name, results] of found) {
    const of = (read: (result: (typeof results)[number]) => number) => median(results.map(read));
    console.log(
      `  ${name.padStart(8)} threads: ${of(({ rate }) => rate)
        .toFixed(1)
        .padStart(7)} tokens a second` +
        ` (${Math.min(...results.map(({ rate }) => rate)).toFixed(1)} to ${Math.max(...results.map(({ rate }) => rate)).toFixed(1)}),` +
        ` prefill ${of(({ prefillMs }) => prefillMs).toFixed(2)} ms a row, last step on ${results.map(({ threads }) => threads).join(' ')}`,
    );
  }
}
for (const context of contexts.values()) await context.dispose();
