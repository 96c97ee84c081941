/** What an experiment compares: arms, each a method with its options, on the same items. */
import {
  type BatchProgress,
  type BatchRequest,
  type BatchSettings,
  ResultsFile,
  runBatch,
  seedOf,
  settingsOf,
} from '../batch/index.js';
import {
  answersOf,
  answersPath,
  type BenchmarkItem,
  cutCounts,
  type Dataset,
  differences,
  endOf,
  type Instance,
  type Judges,
  judgeAnswers,
  type Measurement,
  rates,
} from '../benchmark/index.js';
import type { Eta, EtaRequest } from '../eta/index.js';
import { makeFolder } from '../outputs/index.js';
import type { Method } from '../types.js';

/** Options of one request, those apart that the item and the seed decide. */
type ArmOptions = Omit<EtaRequest, 'prompt' | 'image' | 'images' | 'turns' | 'seed' | 'signal' | 'method'>;

/** One way of answering. */
export interface Arm {
  /** As tables call it; a method's own name where nothing else differs. */
  readonly name: string;
  readonly method: Method;
  readonly options?: ArmOptions;
}

/** An item under its arms. */
export interface Trial {
  readonly item: BenchmarkItem;
  readonly arms: readonly Arm[];
  /** What the seed is derived from; pictures changed from one picture share their draws. @default the item's id */
  readonly seedName?: string;
}

export interface ArmsOptions {
  readonly eta: Eta;
  readonly judges: Judges;
  readonly trials: readonly Trial[];
  readonly arms: readonly Arm[];
  readonly seeds: readonly number[];
  /** Where the items come from. */
  readonly dataset: Dataset;
  readonly variant: string;
  /** Name of the experiment: a folder that holds answers of another is refused. */
  readonly experiment: string;
  /** Folder of answers and judgements; made when it is missing. */
  readonly out: string;
  readonly contextSize?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onAnswer?: ((progress: BatchProgress, wanted: number) => void) | undefined;
  readonly onJudgement?: ((done: number, wanted: number) => void) | undefined;
}

interface ArmInstance extends Instance {
  readonly arm: Arm;
  readonly seedName: string;
}

/** Methods that draw: under other seeds they answer otherwise. */
const DRAWING: readonly Method[] = ['pre', 'post', 'deep', 'eta'];

/**
 * Answers every trial under its arms, judges, and counts. Stopped and called again with the same folder it goes on.
 *
 * @throws UsageError ERR_RESULTS_DIFFER when the folder holds answers of another experiment, other models or settings;
 * AbortError; FileError; what a judge throws when it can judge nothing
 */
export async function measureArms(options: ArmsOptions): Promise<Measurement> {
  const { eta, judges, arms, dataset, variant, seeds, out, signal, onAnswer, onJudgement } = options;
  const instances = instancesOf(options);
  await makeFolder(out);
  const settings = await armSettings(options);
  const path = answersPath(out);
  {
    await using results = await ResultsFile.open({ path, settings, resume: true, retryErrors: true });
    await runBatch({
      eta,
      results,
      requests: instances.map(requestOf),
      keepsTrace: true,
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (progress) => onAnswer?.(progress, instances.length),
    });
  }
  const answers = await judgeAnswers(await answersOf(path, instances), judges, {
    folder: out,
    signal,
    onProgress: onJudgement,
  });
  const runs = arms.map(({ name }) => name);
  const failed: Record<string, number> = {};
  for (const { line } of answers) if (line.error !== null) failed[line.error.code] = (failed[line.error.code] ?? 0) + 1;
  return {
    dataset,
    variant,
    items: options.trials.map(({ item }) => item),
    runs,
    seeds,
    judgeName: judges.judge.name,
    comparerName: judges.comparer?.name ?? null,
    settings,
    answers,
    rates: await rates(answers, runs, signal),
    differences: await differences(answers, pairsOf(runs), signal),
    failed,
    cut: cutCounts(answers.map(endOf)),
  };
}

/** An item under all its arms before the next, the first seed before the others. */
function instancesOf({ trials, seeds }: ArmsOptions): ArmInstance[] {
  return seeds.flatMap((seed, index) =>
    trials.flatMap(({ item, arms, seedName = item.id }) =>
      arms
        .filter(({ method }) => index === 0 || DRAWING.includes(method))
        .map((arm) => ({
          id: `${arm.name}/${seed}/${item.id}`,
          item,
          run: arm.name,
          method: arm.method,
          seed,
          image: item.image,
          arm,
          seedName,
        })),
    ),
  );
}

function requestOf({ id, item, arm, image, seed, seedName }: ArmInstance): BatchRequest {
  const { method, options } = arm;
  const images = image === null ? [] : [image];
  return { id, request: { ...options, prompt: item.prompt, images, method, seed: seedOf(seed, seedName) } };
}

/** Every arm against the first, and the last against the others. */
function pairsOf(runs: readonly string[]): (readonly [string, string])[] {
  const [base] = runs;
  const last = runs.at(-1);
  if (base === undefined || last === undefined || base === last) return [];
  const middle = runs.slice(1, -1);
  return [...runs.slice(1).map((run) => [run, base] as const), ...middle.map((run) => [last, run] as const)];
}

/** What the answers depend on, beside what each request says. */
async function armSettings({ eta, experiment, dataset, variant, contextSize = 0, signal }: ArmsOptions) {
  const settings: BatchSettings = await settingsOf(eta.facts, { seed: 0, contextSize, keepsTrace: true }, signal);
  return { experiment, benchmark: dataset.name, variant, ...settings };
}
