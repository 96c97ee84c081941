/** What an experiment compares: arms, each a method with its options, on the same items. */
import { type BatchRequest, type BatchSettings, seedOf, settingsOf } from '../batch/index.js';
import {
  type BenchmarkItem,
  type Instance,
  instance,
  type Measurement,
  measureInstances,
  type RunPair,
  SEEDS,
} from '../benchmark/index.js';
import { type DecisionOptions, draws, type Policy } from '../policy/index.js';
import type { Method } from '../types/policy.js';
import type { Turn } from '../types/turn.js';
import type { RunOptions } from './experiment.js';
import type { ExperimentName } from './names.js';

/** How an arm decides, beside its method. */
type ArmOptions = Omit<DecisionOptions, 'method'>;

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
  /** Turns before the question, which hold its picture. @default none: it is asked alone, with its picture */
  readonly before?: readonly Turn[] | undefined;
  /** What the seed is derived from; pictures changed from one picture share their draws. @default the item's id */
  readonly seedName?: string;
}

export interface ComparedTrials {
  /** A folder that holds answers of another is refused. */
  readonly experiment: ExperimentName;
  /** In the order in which they are shown. */
  readonly arms: readonly Arm[];
  readonly trials: readonly Trial[];
  /**
   * Whether times are compared: then each answer pays for itself, and the arm that is asked first turns from item to item.
   * @default false
   */
  readonly isTimed?: boolean;
}

interface ArmInstance extends Instance, Pick<Trial, 'before'> {
  readonly arm: Arm;
  readonly seedName: string;
}

/**
 * Answers every trial under its arms, judges, and counts.
 *
 * @throws what {@link measureInstances} throws; a folder with answers of another experiment is refused too
 */
export async function measureArms(
  options: RunOptions,
  { experiment, arms, trials, isTimed = false }: ComparedTrials,
): Promise<Measurement> {
  const { seeds = SEEDS, onProgress } = options;
  const runs = arms.map(({ name }) => name);
  return await measureInstances({
    ...options,
    seeds,
    items: trials.map(({ item }) => item),
    instances: instancesOf(isTimed ? trials.map(turned) : trials, seeds, options.eta.facts.policy),
    requestOf: (asked) => requestOf(asked, isTimed ? { reuse: false } : {}),
    settings: await armSettings(options, experiment),
    runs,
    pairs: pairsOf(runs),
    onAnswer: ({ doneCount }, wanted) => onProgress?.('answering', doneCount, wanted),
    onJudgement: (done, wanted) => onProgress?.('judging', done, wanted),
  });
}

/** Whoever comes first after another item would pay for its caches. */
function turned(trial: Trial, index: number): Trial {
  const first = index % Math.max(1, trial.arms.length);
  return { ...trial, arms: [...trial.arms.slice(first), ...trial.arms.slice(0, first)] };
}

/** An item under all its arms before the next, the first seed before the others. */
function instancesOf(
  trials: readonly Trial[],
  seeds: readonly number[],
  policy: Pick<Policy, 'answerTemperature'>,
): ArmInstance[] {
  return seeds.flatMap((seed, index) =>
    trials.flatMap(({ item, arms, before, seedName = item.id }) =>
      arms
        .filter(
          ({ method, options }) => index === 0 || draws(method, options?.answerTemperature ?? policy.answerTemperature),
        )
        .map((arm) => ({ ...instance(item, arm.method, seed, { run: arm.name }), arm, before, seedName })),
    ),
  );
}

function requestOf(asked: ArmInstance, more: { reuse?: false }): BatchRequest {
  const { id, item, arm, image, seed, seedName, before } = asked;
  const decisions = { ...arm.options, ...more, method: arm.method, seed: seedOf(seed, seedName) };
  if (before !== undefined)
    return { id, request: { ...decisions, turns: [...before, { role: 'user', text: item.prompt }] } };
  return { id, request: { ...decisions, prompt: item.prompt, images: image === null ? [] : [image] } };
}

/** Every arm against the first, and the last against the others. */
function pairsOf(runs: readonly string[]): RunPair[] {
  const [base] = runs;
  const last = runs.at(-1);
  if (base === undefined || last === undefined || base === last) return [];
  const middle = runs.slice(1, -1);
  return [...runs.slice(1).map((run) => [run, base] as const), ...middle.map((run) => [last, run] as const)];
}

/** What the answers depend on, beside what each request says. */
async function armSettings(options: RunOptions, experiment: ExperimentName): Promise<BatchSettings> {
  const { eta, dataset, variant, contextSize = 0, signal } = options;
  const settings = await settingsOf(eta.facts, { seed: 0, keepsTrace: true }, signal);
  return { experiment, benchmark: dataset.name, variant, ...settings, contextSize };
}
