/** Which thresholds hold, and where they come from: option, calibrated file, file in the model's folder, manifest. */
import {
  checkBond,
  installedThresholds,
  readClip,
  readManifest,
  readThresholds,
  rewardManifestSchema,
  type ThresholdsFile,
} from '../manifest/index.js';
import type { ResolvedModels } from '../models/index.js';
import {
  type GivenThresholds,
  overrideThresholds,
  POST_EVALUATION_PROMPT,
  type Policy,
  SAFETY_PROMPT,
  type ThresholdsInForce,
} from '../policy/index.js';
import type { CalibratedOn } from '../types/thresholds.js';
import type { HashCheck } from '../verified/index.js';

/** A threshold, where it comes from, and the prompt that it was calibrated with. */
interface Sourced {
  readonly value: number | null;
  readonly source: string;
  readonly prompt: string | null;
  /** Which classes it was measured on, under that prompt. @default 'both' */
  readonly on?: CalibratedOn;
  /** The low one beside it, of the same source. @default none */
  readonly low?: number | undefined;
}

/** A file of thresholds, and where it lies. */
interface Placed {
  readonly path: string;
  readonly file: ThresholdsFile;
}

/** What the caller says of thresholds. */
interface ThresholdOptions {
  readonly thresholds?: GivenThresholds | undefined;
  /** A file that `eta-vlm calibrate` wrote. */
  readonly thresholdsFile?: string | undefined;
  /** How the hashes of a published CLIP are found. @default true */
  readonly verifyHashes?: HashCheck | undefined;
}

const NONE: Sourced = { value: null, source: 'none', prompt: null };

/**
 * Reads them before anything heavy is loaded. What is given as a number is neither looked for nor checked.
 *
 * @throws ModelError ERR_MODEL_MISMATCH for thresholds of another model or another prompt; ERR_MODEL_NOT_FOUND and
 * ERR_MODEL_INVALID for a file or manifest that cannot be used
 */
export async function thresholdsOf(
  { clip, rewardModel, published }: ResolvedModels,
  { thresholds: given, thresholdsFile: path, verifyHashes }: ThresholdOptions,
  policy: Policy,
): Promise<ThresholdsInForce> {
  const named = path === undefined ? null : { path, file: await readThresholds(path, 'thresholdsFile') };
  const score =
    clip === null || given?.unsafeClipScore !== undefined
      ? NONE
      : await clipThreshold(await readClip(clip, verifyHashes), clip, named, policy, published);
  const wantsLow = policy.gate === 'lowAnswerOrBoth' && given?.lowReward === undefined;
  const reward =
    rewardModel === null || (given?.safeReward !== undefined && !wantsLow)
      ? NONE
      : await rewardThreshold(rewardModel, named, policy);
  const beside = <Value>(lowReward: Value) => reward.low !== undefined && { lowReward };
  return overrideThresholds(
    {
      thresholds: { unsafeClipScore: score.value, safeReward: reward.value, ...beside(reward.low) },
      thresholdSources: { unsafeClipScore: score.source, safeReward: reward.source, ...beside(reward.source) },
      calibratedPrompts: { unsafeClipScore: score.prompt, safeReward: reward.prompt, ...beside(reward.prompt) },
      calibratedOn: {
        unsafeClipScore: classesOf(score),
        safeReward: classesOf(reward),
        ...beside(classesOf(reward)),
      },
    },
    given,
    'option',
  );
}

async function clipThreshold(
  { manifest, isOurs }: Awaited<ReturnType<typeof readClip>>,
  folder: string,
  named: Placed | null,
  { safetyPrompt }: Policy,
  published: ResolvedModels['published'],
): Promise<Sourced> {
  const placed = named?.file.clip ? named : isOurs ? await installedThresholds(folder) : null;
  const part = placed?.file.clip;
  if (!placed || !part) {
    const ofSet = published?.unsafeClipScore ?? null;
    if (ofSet === null) return ofManifest(manifest.unsafeClipScore, manifest.calibration, SAFETY_PROMPT);
    return { value: ofSet.value, source: ofSet.source, prompt: ofSet.isCalibrated ? SAFETY_PROMPT : null };
  }
  const prompt = { name: 'safety prompt', bound: part.safetyPrompt, used: safetyPrompt };
  checkBond({ what: 'CLIP model', score: 'A CLIP score', path: placed.path, bound: part.model, manifest, prompt });
  return { value: part.unsafeClipScore, source: placed.path, prompt: part.safetyPrompt, on: part.calibratedOn };
}

async function rewardThreshold(folder: string, named: Placed | null, policy: Policy): Promise<Sourced> {
  const manifest = await readManifest(folder, rewardManifestSchema);
  const placed = named?.file.rewardModel ? named : await installedThresholds(folder);
  const part = placed?.file.rewardModel;
  if (!placed || !part) return ofManifest(manifest.safeReward, manifest.calibration, POST_EVALUATION_PROMPT);
  const { postEvaluationPrompt } = policy;
  const prompt = { name: 'post-evaluation prompt', bound: part.postEvaluationPrompt, used: postEvaluationPrompt };
  checkBond({ what: 'reward model', score: 'A reward', path: placed.path, bound: part.model, manifest, prompt });
  const { safeReward: value, lowReward: low, calibratedOn: on } = part;
  return { value, low, source: placed.path, prompt: part.postEvaluationPrompt, on };
}

function classesOf({ prompt, on = 'both' }: Sourced): CalibratedOn | null {
  return prompt === null ? null : on;
}

/**
 * Null: a model that was converted and never calibrated. {@link checkThresholds} refuses it where it would be needed.
 *
 * @param calibration how the manifest says that it was found; null where it does not say
 * @param prompt what models are calibrated with before they are shipped
 */
function ofManifest(value: number | null, calibration: unknown, prompt: string): Sourced {
  return value === null ? NONE : { value, source: 'manifest', prompt: calibration === null ? null : prompt };
}
