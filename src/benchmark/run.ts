/** From items to figures: answers, judgements, rates. */
import { join } from 'node:path';
import {
  type BatchProgress,
  type BatchRequest,
  type BatchSettings,
  ResultsFile,
  resultsOutputs,
  settingsOf,
} from '../batch/index.js';
import { UsageError } from '../errors.js';
import type { Eta } from '../eta/index.js';
import { makeFolder, type Output } from '../outputs/index.js';
import { exists } from '../regular-file.js';
import type { Method } from '../types/policy.js';
import { answerInstances, answersOf, cutCounts, endOf } from './answers.js';
import type { Dataset } from './dataset.js';
import type { BenchmarkItem } from './item.js';
import { type JudgedAnswer, type Judges, judgeAnswers, refusalJudgeOf } from './judging.js';
import { type Instance, plan } from './plan.js';
import { differences, type MeasuredDifference, type MeasuredRate, rates } from './rates.js';

/** What every measurement is made with, whatever it compares. */
interface MeasuringOptions {
  /** Where the items come from. */
  readonly dataset: Dataset;
  readonly variant: string;
  readonly items: readonly BenchmarkItem[];
  /** Of the methods that draw; the others take the first. */
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

export interface MeasureOptions extends MeasuringOptions {
  readonly methods: readonly Method[];
}

/** Two runs whose answers to the same questions are compared: the first minus the second. */
export type RunPair = readonly [one: string, other: string];

export interface MeasureInstancesOptions<Wanted extends Instance> extends MeasuringOptions {
  readonly instances: readonly Wanted[];
  /** How each is asked. @default its prompt and picture under its method */
  readonly requestOf?: ((instance: Wanted) => BatchRequest) | undefined;
  /** What the answers depend on, beside what each request says: a folder with answers of others is refused. */
  readonly settings: BatchSettings;
  /** In the order in which they are shown. */
  readonly runs: readonly string[];
  readonly pairs: readonly RunPair[];
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
  /** Who judged refusals. */
  readonly refusalJudgeName: string;
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
function answersPath(out: string): string {
  return join(out, 'answers.jsonl');
}

/** Whether a folder holds answers of an earlier run. */
export async function hasAnswers(out: string): Promise<boolean> {
  return await exists(answersPath(out));
}

/** What answers take of their folder. Judgements, whose names are those of their judges, look after themselves. */
export async function answersOutputs(out: string): Promise<Output[]> {
  return await resultsOutputs(answersPath(out), 'The answers (--out)');
}

/**
 * Answers every item under every method, judges and counts. Methods, seeds and a larger limit may be added later.
 *
 * @throws what {@link measureInstances} throws
 */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { dataset, eta, items, methods } = options;
  const { answerTemperature } = eta.facts.policy;
  return await measureInstances({
    ...options,
    instances: plan(items, { ...options, answerTemperature }, dataset.asks?.bind(dataset)),
    settings: await benchmarkSettings(options),
    runs: methods,
    pairs: pairsOf(methods),
  });
}

/**
 * Answers, judges and counts. Stopped and called again with the same folder it goes on. Answers that failed are asked
 * again.
 *
 * @throws UsageError ERR_RESULTS_DIFFER when the folder holds answers of other models or settings, ERR_INVALID_OPTION for
 * pictures before a model that reads text alone; AbortError; FileError; what a judge throws when it can judge nothing
 */
export async function measureInstances<Wanted extends Instance>(
  options: MeasureInstancesOptions<Wanted>,
): Promise<Measurement> {
  const { dataset, eta, instances, judges, out, signal, onJudgement: onProgress } = options;
  checkSees(dataset, eta, instances);
  await makeFolder(out);
  await answerAll(options);
  const made = await answersOf(answersPath(out), instances);
  const answers = await judgeAnswers(made, judges, { folder: out, signal, onProgress });
  return await measurement({ ...options, answers });
}

/** The figures of judged answers. */
export async function measurement(
  parts: Pick<
    MeasureInstancesOptions<Instance>,
    'dataset' | 'variant' | 'items' | 'runs' | 'pairs' | 'seeds' | 'judges' | 'settings' | 'signal'
  > & { readonly answers: readonly JudgedAnswer[] },
): Promise<Measurement> {
  const { dataset, variant, items, runs, pairs, seeds, judges, settings, answers, signal } = parts;
  const failed: Record<string, number> = {};
  for (const { line } of answers) if (line.error !== null) failed[line.error.code] = (failed[line.error.code] ?? 0) + 1;
  return {
    dataset,
    variant,
    items,
    runs,
    seeds,
    judgeName: judges.judge.name,
    refusalJudgeName: (judges.judgesEverything ? judges.judge : refusalJudgeOf(judges)).name,
    comparerName: judges.comparer?.name ?? null,
    settings,
    answers,
    rates: await rates(answers, runs, signal),
    differences: await differences(answers, pairs, signal),
    failed,
    cut: cutCounts(answers.map(endOf)),
  };
}

/**
 * A model that reads text alone fails every question about a picture: better said once, before the first.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
function checkSees({ name }: Dataset, eta: Eta, instances: readonly Instance[]): void {
  const { models } = eta.facts;
  if (models.projector !== null) return;
  const ids = new Set(instances.map(({ item }) => item.id));
  const seen = new Set(instances.filter(({ image }) => image !== null).map(({ item }) => item.id));
  if (seen.size === 0) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${name}: expected a model that sees, because ${seen.size} of ${ids.size} questions have a picture, received ${models.name}, which reads text alone. Name its projector (--projector), or take a set without pictures, such as advbench or xstest.`,
  );
}

/** Every method against vanilla, and ETA against the others. */
function pairsOf(runs: readonly string[]): RunPair[] {
  const [base] = runs;
  if (base === undefined) return [];
  const againstBase = runs.slice(1).map((run) => [run, base] as const);
  const againstEta = runs.includes('eta') ? runs.slice(1).filter((run) => run !== 'eta') : [];
  return [...againstBase, ...againstEta.map((run) => ['eta', run] as const)];
}

async function answerAll<Wanted extends Instance>(options: MeasureInstancesOptions<Wanted>): Promise<void> {
  const { eta, instances, judges, requestOf, settings, out, concurrency, signal, onAnswer } = options;
  await using results = await ResultsFile.open({ path: answersPath(out), settings, resume: true, retryErrors: true });
  // A judge that is not there is told before hours of answering, not after; where all is answered the judgements may be there too.
  if (instances.some(({ id }) => results.find(id) === undefined)) await judges.judge.check?.(signal);
  await answerInstances({
    eta,
    instances,
    requestOf,
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
  const settings = await settingsOf(eta.facts, { seed: 0 }, signal);
  const named = [
    ...['version', 'policy', 'thresholds', 'models', 'decision', 'safetyVector', 'conversationForm', 'cacheType'],
    'exact',
  ];
  const kept = Object.fromEntries(Object.entries(settings).filter(([name]) => named.includes(name)));
  const { method: _method, ...policy } = kept['policy'] as Record<string, BatchSettings[string]>;
  return { benchmark: dataset.name, variant, ...kept, contextSize, policy };
}
