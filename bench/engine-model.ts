/** The model that an engine benchmark runs on: a file, or a hollow one of a known shape. */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Context, Model } from '../src/engine/index.js';
import { type HollowWeights, hollowModel, SHAPES } from '../test/engine/hollow-model.js';

/** What every engine benchmark takes on its command line; each may name more numbers, with their defaults. */
export function benchOptions<Numbers extends Record<string, number>>(numbers: Numbers) {
  const extra = Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: '160m' },
      weights: { type: 'string', default: 'q8_0' },
      vocabulary: { type: 'string', default: 'llama-spm' },
      threads: { type: 'string' },
      ...extra,
    },
  });
  const given = values as Record<string, string | undefined>;
  const chosen = Object.entries(numbers).map(([name, value]) => [name, Number(given[name] ?? value)]);
  return {
    model: values.model,
    weights: values.weights as HollowWeights,
    vocabulary: values.vocabulary,
    threadCount: values.threads === undefined ? undefined : Number(values.threads),
    ...(Object.fromEntries(chosen) as Numbers),
  };
}

/** A file's model, or one of a known shape: zeros under a known vocabulary, for weights do not change times. */
export async function benchModel(options: {
  readonly model: string;
  readonly weights: HollowWeights;
  readonly vocabulary?: string;
  readonly threadCount: number | undefined;
}): Promise<Model> {
  const shape = Object.entries(SHAPES).find(([known]) => known === options.model)?.[1];
  const modelPath =
    shape === undefined
      ? options.model
      : hollowModel({ vocabulary: options.vocabulary ?? 'llama-spm', shape, weights: options.weights });
  return await Model.load({ modelPath, threadCount: options.threadCount });
}

export function configuration(model: Model, context: Context): string {
  const { description, sizeBytes } = model.facts;
  const { cellCount, batchSize } = context.facts;
  return (
    `${model.name}: ${description}, ${(sizeBytes / 2 ** 20).toFixed(0)} MiB, ${model.threadCount} threads; ` +
    `${cellCount} cells, batch ${batchSize}; ` +
    `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}`
  );
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** So many ordinary tokens, different for each seed. */
export function tokenRow(model: Model, length: number, seed = 0): Int32Array {
  return Int32Array.from(
    { length },
    (_, index) => 300 + (((index + seed) * 7919) % (model.facts.vocabularySize - 300)),
  );
}
