/** A benchmark from its folder to its figures: items, answers, judgements, rates. */
import { dirname, join } from 'node:path';
import { type BatchProgress, type BatchSettings, ResultsFile, resultsOutputs, settingsOf } from '../batch/index.js';
import { UsageError } from '../errors.js';
import type { Eta } from '../eta/index.js';
import { describe } from '../options.js';
import { makeFolder, type Output, picturePath } from '../outputs/index.js';
import type { Method } from '../types.js';
import { answerInstances, answersOf, cutCounts, endOf } from './answers.js';
import { type Dataset, DatasetFolder } from './dataset.js';
import type { BenchmarkItem } from './item.js';
import { type JudgedAnswer, type Judges, judgeAnswers } from './judging.js';
import { type Instance, limited, plan } from './plan.js';
import { differences, type MeasuredDifference, type MeasuredRate, rates } from './rates.js';

export interface ReadOptions {
  /** @default where the set ships with the package */
  readonly root?: string | undefined;
  /** @default the set's first */
  readonly variant?: string | undefined;
  /** Questions of each category at most. @default all */
  readonly limit?: number | undefined;
}

export interface ReadItems {
  /** "" where the set has one way of asking. */
  readonly variant: string;
  readonly items: readonly BenchmarkItem[];
  /** Files and folders that they were read from, pictures included. */
  readonly paths: readonly string[];
}

/**
 * Reads a benchmark's items.
 *
 * @throws UsageError ERR_INVALID_OPTION for a root that is missing or a variant that the set lacks; what its loader throws
 */
export async function readItems(dataset: Dataset, { root, variant, limit }: ReadOptions): Promise<ReadItems> {
  const place = root ?? dataset.shippedRoot;
  if (place === undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${dataset.name}: expected --root with the folder of the set, received none. It is not shipped; it is distributed as: ${dataset.layout.join('; ')}.`,
    );
  const [first = ''] = dataset.variants;
  const chosen = variant ?? first;
  // A placeholder such as <picture> takes any name: the folder knows which there are.
  if (chosen !== first && !first.startsWith('<') && !dataset.variants.includes(chosen))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      dataset.variants.length === 0
        ? `${dataset.name}: expected no variant, because the set is asked in one way, received ${describe(chosen)}.`
        : `${dataset.name}: expected the variant ${dataset.variants.join(', ')}, received ${describe(chosen)}.`,
    );
  const folder = new DatasetFolder(place, dataset);
  const items = await dataset.load(folder, chosen);
  const pictures = items.flatMap(({ image }) => picturePath(image) ?? []);
  return {
    variant: chosen,
    items: limit === undefined ? items : limited(items, limit),
    paths: [...new Set([folder.root, ...folder.seen, ...pictures, ...pictures.map((path) => dirname(path))])],
  };
}

export interface MeasureOptions extends Omit<ReadItems, 'paths'> {
  readonly dataset: Dataset;
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  readonly eta: Eta;
  readonly judges: Judges;
  /** Folder of answers and judgements; made when it is missing. */
  readonly out: string;
  /** Where it was named: a context that is larger only because more runs at once gives the same answers. */
  readonly contextSize?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onAnswer?: ((progress: BatchProgress, wanted: number) => void) | undefined;
  readonly onJudgement?: ((done: number, wanted: number) => void) | undefined;
}

/** What was measured, ready for a report. */
export interface Measurement {
  readonly dataset: Dataset;
  readonly variant: string;
  readonly items: readonly BenchmarkItem[];
  /** Methods, and controls if any, in the order in which they are shown. */
  readonly runs: readonly string[];
  readonly seeds: readonly number[];
  readonly judgeName: string;
  readonly comparerName: string | null;
  /** What the answers depend on. */
  readonly settings: BatchSettings;
  readonly answers: readonly JudgedAnswer[];
  readonly rates: readonly MeasuredRate[];
  readonly differences: readonly MeasuredDifference[];
  /** Answers that failed, by error code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Answers that were cut at the most tokens or the end of the context, by run. */
  readonly cut: Readonly<Record<string, number>>;
}

/** Where the answers of a folder stand. */
export function answersPath(out: string): string {
  return join(out, 'answers.jsonl');
}

/** What answers take of their folder. Judgements, whose names are those of their judges, look after themselves. */
export async function answersOutputs(out: string): Promise<Output[]> {
  return await resultsOutputs(answersPath(out), 'The answers (--out)');
}

/**
 * Answers, judges and counts. Stopped and called again with the same folder it goes on; methods, seeds and a larger limit
 * may be added later. Answers that failed are asked again.
 *
 * @throws UsageError ERR_RESULTS_DIFFER when the folder holds answers of other models or settings; AbortError; FileError;
 * what a judge throws when it can judge nothing
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { dataset, variant, items, methods, seeds, eta, judges, out, signal } = options;
  const instances = plan(items, { methods, seeds }, dataset.asks?.bind(dataset));
  await makeFolder(out);
  const settings = await benchmarkSettings(options);
  const path = answersPath(out);
  await answerAll(path, instances, { ...options, settings, eta });
  const answers = await judgeAnswers(await answersOf(path, instances), judges, {
    folder: out,
    signal,
    onProgress: options.onJudgement,
  });
  return await measurement({ dataset, variant, items, methods, seeds, judges, settings, answers, signal });
}

/** The figures of judged answers. */
export async function measurement(
  parts: Pick<MeasureOptions, 'dataset' | 'variant' | 'items' | 'methods' | 'seeds' | 'judges' | 'signal'> & {
    readonly settings: BatchSettings;
    readonly answers: readonly JudgedAnswer[];
  },
): Promise<Measurement> {
  const { methods: runs, judges, answers, signal, ...rest } = parts;
  const failed: Record<string, number> = {};
  for (const { line } of answers) if (line.error !== null) failed[line.error.code] = (failed[line.error.code] ?? 0) + 1;
  return {
    ...rest,
    runs,
    answers,
    judgeName: judges.judge.name,
    comparerName: judges.comparer?.name ?? null,
    rates: await rates(answers, runs, signal),
    differences: await differences(answers, pairsOf(runs), signal),
    failed,
    cut: cutCounts(answers.map(endOf)),
  };
}

/** Every method against vanilla, and ETA against the others. */
function pairsOf(runs: readonly string[]): (readonly [string, string])[] {
  const [base] = runs;
  if (base === undefined) return [];
  const againstBase = runs.slice(1).map((run) => [run, base] as const);
  const againstEta = runs.includes('eta') ? runs.slice(1).filter((run) => run !== 'eta') : [];
  return [...againstBase, ...againstEta.map((run) => ['eta', run] as const)];
}

async function answerAll(
  path: string,
  instances: readonly Instance[],
  options: Pick<MeasureOptions, 'eta' | 'concurrency' | 'signal' | 'onAnswer'> & { readonly settings: BatchSettings },
): Promise<void> {
  const { eta, settings, concurrency, signal, onAnswer } = options;
  await using results = await ResultsFile.open({ path, settings, resume: true, retryErrors: true });
  await answerInstances({
    eta,
    instances,
    results,
    concurrency,
    signal,
    onProgress: (progress) => onAnswer?.(progress, instances.length),
  });
}

/** What the answers depend on. Methods and seeds belong to each answer, so that more of them may be added. */
async function benchmarkSettings(
  options: Pick<MeasureOptions, 'eta' | 'dataset' | 'variant' | 'contextSize' | 'signal'>,
): Promise<BatchSettings> {
  const { eta, dataset, variant, contextSize = 0, signal } = options;
  const settings = await settingsOf(eta.facts, { seed: 0, contextSize }, signal);
  const named = ['version', 'policy', 'thresholds', 'models', 'contextSize'];
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => named.includes(name)));
  const { method: _method, ...policy } = kept['policy'] as Record<string, BatchSettings[string]>;
  return { benchmark: dataset.name, variant, ...kept, policy };
}
