/**
 * Where scores of pictures and answers whose class is known lie: in the thresholds that `eta-vlm calibrate` wrote, or in a
 * file beside a model. They decide nothing; they show how far a score is from others.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { parsedJson } from '../json.js';
import { readRegularText } from '../regular-file.js';
import type { ThresholdSources, Thresholds } from '../types/thresholds.js';
import type { EvaluatorName } from '../types/verdict.js';
import {
  type ClipManifest,
  clipManifestSchema,
  type RewardManifest,
  readManifest,
  rewardManifestSchema,
} from './manifest.js';
import { modelDigest, readThresholds, type ThresholdsFile } from './thresholds-file.js';

/** Its name in a model's folder. */
export const HISTOGRAM_FILE = 'histogram.json';

const bin = z.object({ from: z.number(), to: z.number(), safe: z.int().min(0), unsafe: z.int().min(0) });
const bins = z.array(bin).min(1).max(1000);

const fileSchema = z.object({
  format: z.literal('eta-vlm/histogram'),
  version: z.literal(1),
  model: z.object({ name: z.string(), sha256: z.string() }),
  prompt: z.string(),
  source: z.string(),
  bins,
});
const calibrationSchema = z.object({ bins, safeCount: z.int(), unsafeCount: z.int() });

/** Scores from `from` on and below `to`, by class; in the last bin `to` as well. */
export type ScoreBin = z.output<typeof bin>;

/** Scores of one evaluator. */
interface ScoreHistogram {
  readonly evaluator: EvaluatorName;
  /** The one in force. */
  readonly threshold: number;
  readonly bins: readonly ScoreBin[];
  /** What was scored, as a phrase. */
  readonly source: string;
}

/** What is known of an Eta's evaluators; the facts of one hold all of it. */
export interface JudgingFacts {
  readonly evaluators: { readonly pictures: EvaluatorName | null; readonly answers: EvaluatorName | null };
  readonly thresholds: Thresholds;
  readonly thresholdSources: ThresholdSources;
  /** Folders. */
  readonly models: { readonly clip: string | null; readonly rewardModel: string | null };
  readonly policy: { readonly safetyPrompt: string; readonly postEvaluationPrompt: string };
}

/** Of who judges pictures and of who judges answers; absent where nobody kept any for this model and this prompt. */
export interface ScoreHistograms {
  readonly picture?: ScoreHistogram;
  readonly answer?: ScoreHistogram;
}

const clipManifest = (folder: string) => readManifest(folder, clipManifestSchema);
const rewardManifest = (folder: string) => readManifest(folder, rewardManifestSchema);

/**
 * What is not there, or belongs to another model, is left out: nothing hangs on it.
 *
 * @throws ModelError where a file lies beside a model whose manifest cannot be read
 */
export async function scoreHistograms(facts: JudgingFacts): Promise<ScoreHistograms> {
  const { evaluators, thresholds, thresholdSources: sources, models, policy } = facts;
  const byGuard = { pictures: evaluators.pictures === 'decision', answers: evaluators.answers === 'decision' };
  const picture = await histogram({
    evaluator: evaluators.pictures,
    threshold: byGuard.pictures ? thresholds.unsafeDecision : thresholds.unsafeClipScore,
    kept: await keptIn(byGuard.pictures ? sources.unsafeDecision : sources.unsafeClipScore, (file) =>
      byGuard.pictures ? file.decision?.picture : file.clip,
    ),
    beside: () => besideModel(byGuard.pictures ? null : models.clip, policy.safetyPrompt, clipManifest),
    what: 'pictures',
  });
  const answer = await histogram({
    evaluator: evaluators.answers,
    threshold: byGuard.answers ? thresholds.safeDecision : thresholds.safeReward,
    kept: await keptIn(byGuard.answers ? sources.safeDecision : sources.safeReward, (file) =>
      byGuard.answers ? file.decision?.answer : file.rewardModel,
    ),
    beside: () => besideModel(byGuard.answers ? null : models.rewardModel, policy.postEvaluationPrompt, rewardManifest),
    what: 'answers',
  });
  return { ...(picture && { picture }), ...(answer && { answer }) };
}

interface Asked {
  readonly evaluator: EvaluatorName | null;
  readonly threshold: number | null | undefined;
  /** Of the thresholds file that is in force. */
  readonly kept: z.output<typeof calibrationSchema> | null;
  beside(): Promise<Pick<ScoreHistogram, 'bins' | 'source'> | null>;
  readonly what: string;
}

async function histogram({ evaluator, threshold, kept, beside, what }: Asked): Promise<ScoreHistogram | null> {
  if (evaluator === null || threshold === null || threshold === undefined) return null;
  const found =
    kept === null
      ? await beside()
      : { bins: kept.bins, source: `${kept.safeCount} safe and ${kept.unsafeCount} unsafe ${what} of its calibration` };
  return found && { evaluator, threshold, ...found };
}

/** A source may name a file of thresholds, or something else altogether. */
async function keptIn(
  source: string | undefined,
  partOf: (file: ThresholdsFile) => { readonly calibration: unknown } | null | undefined,
) {
  if (source === undefined || ['request', 'option', 'manifest', 'form', 'none'].includes(source)) return null;
  try {
    return calibrationSchema.safeParse(partOf(await readThresholds(source))?.calibration).data ?? null;
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

async function besideModel(
  folder: string | null,
  prompt: string,
  manifestOf: (folder: string) => Promise<ClipManifest | RewardManifest>,
): Promise<Pick<ScoreHistogram, 'bins' | 'source'> | null> {
  if (folder === null) return null;
  let text: string;
  try {
    text = await readRegularText(join(folder, HISTOGRAM_FILE));
  } catch {
    return null; // most folders have none
  }
  const kept = fileSchema.safeParse(parsedJson(text)).data;
  if (kept === undefined || kept.prompt !== prompt) return null;
  const isOfModel = modelDigest(await manifestOf(folder)) === kept.model.sha256;
  return isOfModel ? { bins: kept.bins, source: kept.source } : null;
}
