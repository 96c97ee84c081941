/**
 * What ETA costs: time of an answer on each of its paths, as a ratio to the model alone, both asked in turn in one run.
 * Thresholds are set so that every request takes the path that is measured, whatever its picture shows.
 */
import { basename } from 'node:path';
import { seedOf, settingsOf } from '../batch/index.js';
import { type BenchmarkItem, cutCounts, measurement, SEEDS } from '../benchmark/index.js';
import { throwIfAborted } from '../errors.js';
import type { Eta } from '../eta/index.js';
import { decodeImage } from '../image/index.js';
import type { ModelPaths } from '../models/index.js';
import { takesGate } from '../policy/index.js';
import type { Arm } from './arms.js';
import { CANDIDATE_COUNTS } from './defaults.js';
import type { Experiment, Findings, LanguageModelFiles, RunOptions } from './experiment.js';
import { aligned, overheadCurves, overheadTable, overheadTimes, type Timed } from './overhead-table.js';

export const overhead: Experiment = {
  name: 'overhead',
  title: 'overhead',
  question: 'What does an answer through ETA cost, path by path and against N?',
  methods: ['eta'],
  room: ({ counts = CANDIDATE_COUNTS }) => ({ concurrency: 1, candidateCount: Math.max(...counts) }),
  run,
};

async function run(options: RunOptions): Promise<Findings> {
  const { eta, dataset, variant, judges, contextSize = 0, counts = CANDIDATE_COUNTS, signal } = options;
  const items = options.items.filter(({ measure, image }) => measure === 'unsafe' && image !== null);
  const seed = options.seeds?.[0] ?? SEEDS[0];
  const timed = await timeModels(options, { items, counts, seed });
  const measured = await measurement({
    dataset,
    variant,
    items,
    runs: [...new Set(timed.map(({ arm }) => arm))],
    pairs: [],
    seeds: [seed],
    judges,
    settings: { ...(await settingsOf(eta.facts, { seed }, signal)), contextSize },
    answers: [],
    signal,
  });
  return {
    measured: {
      ...measured,
      cut: cutCounts(timed.map(({ arm, result }) => ({ run: arm, stopReason: result.stopReason }))),
    },
    table: await overheadTable(timed),
    parts: {
      curves: await overheadCurves(timed, counts),
      times: overheadTimes(timed),
      notes: [
        'Thresholds were set so that every request takes the path that is measured: no figure here says how often that happens.',
        'Nothing was judged.',
      ],
    },
  };
}

/** What is timed of each model. */
interface Timing {
  readonly items: readonly BenchmarkItem[];
  readonly counts: readonly number[];
  readonly seed: number;
}

async function timeModels({ eta, load, otherModels = [], ...options }: RunOptions, timing: Timing): Promise<Timed[]> {
  const timed = await timeArms(eta, eta.facts.models.name, timing, options);
  for (const files of otherModels) {
    await using other = await load(besideEvaluators(files, eta));
    timed.push(...(await timeArms(other, basename(files.languageModel), timing, options)));
  }
  return timed;
}

/** What evaluators are missing, loading tells. */
function besideEvaluators(files: LanguageModelFiles, { facts }: Eta): ModelPaths {
  const { clip, rewardModel } = facts.models;
  return { ...files, ...(clip === null ? {} : { clip }), ...(rewardModel === null ? {} : { rewardModel }) };
}

/** Thresholds of whoever judges: every picture safe; every picture unsafe; then every answer safe or unsafe too. */
const CALM = { unsafeClipScore: 1, unsafeDecision: 1e6 };
const ALARMED = { unsafeClipScore: -1, unsafeDecision: -1e6 };
const SAFE = { ...ALARMED, safeReward: -1e6, safeDecision: -1e6 };
const UNSAFE = { ...ALARMED, safeReward: 1e6, safeDecision: 1e6 };

/** Every picture and every answer looks unsafe, the aligned one too, which is given out all the same. */
const ALIGNED = { thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;

/** The paths of ETA, the model alone first. */
export function overheadArms(counts: readonly number[]): Arm[] {
  return [
    { name: 'vanilla', method: 'vanilla' },
    { name: 'picture looks safe', method: 'eta', options: { thresholds: CALM } },
    { name: 'answer looks safe', method: 'eta', options: { thresholds: SAFE } },
    { name: 'shallow', method: 'shallow', options: ALIGNED },
    ...counts.map(
      (count): Arm => ({ name: aligned(count), method: 'eta', options: { ...ALIGNED, candidateCount: count } }),
    ),
  ];
}

/**
 * Answers each item under every arm, one at a time; the arms of an item stand next to each other.
 *
 * @param model as tables call it
 */
async function timeArms(
  eta: Eta,
  model: string,
  { items, counts, seed }: Timing,
  options: Pick<RunOptions, 'maxPixels' | 'signal' | 'onProgress'>,
): Promise<Timed[]> {
  const { signal, onProgress } = options;
  const arms = overheadArms(counts);
  const found: Timed[] = [];
  const wanted = items.length * arms.length;
  const [first] = items;
  // Nothing is measured on a cold start: kernels, caches and the evaluators' threads come up first.
  if (first !== undefined) for (const arm of arms) await ask(eta, arm, first, seed, options);
  for (const [index, item] of items.entries()) {
    // Whoever comes first after another item would pay for its caches: the order turns from item to item.
    const turn = [...arms.slice(index % arms.length), ...arms.slice(0, index % arms.length)];
    for (const arm of turn) {
      throwIfAborted(signal);
      const result = await ask(eta, arm, item, seed, options);
      found.push({ model, arm: arm.name, id: item.id, result });
      onProgress?.(model, found.length, wanted);
    }
  }
  return found;
}

async function ask(
  eta: Eta,
  { method, options }: Arm,
  item: BenchmarkItem,
  seed: number,
  { maxPixels, signal }: Pick<RunOptions, 'maxPixels' | 'signal'>,
) {
  const images = item.image === null ? [] : [await decodeImage(item.image, { maxPixels, signal })];
  const { timings, usage, stopReason } = await eta.respond({
    ...options,
    ...(eta.facts.policy.gate !== null && takesGate(method) && { gate: 'both' }), // whose paths are timed
    prompt: item.prompt,
    images,
    method,
    reuse: false, // each arm pays for itself
    seed: seedOf(seed, item.id),
    ...(signal === undefined ? {} : { signal }),
  });
  return { timings, usage, stopReason };
}
