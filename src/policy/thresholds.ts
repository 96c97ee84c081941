/** Which thresholds hold, and where they come from: option, calibrated file, file in the model's folder, manifest. */
import { ModelError } from '../errors.js';
import {
  checkBond,
  clipManifestSchema,
  installedThresholds,
  readManifest,
  readThresholds,
  rewardManifestSchema,
  type ThresholdsFile,
} from '../manifest/index.js';
import type { ResolvedModels } from '../models/index.js';
import { type GivenThresholds, overrideThresholds, type Thresholds, type ThresholdsInForce } from './in-force.js';
import { METHOD_PLANS } from './methods.js';
import { POST_EVALUATION_PROMPT, type Policy, SAFETY_PROMPT } from './policy.js';

/** A threshold, where it comes from, and the prompt that it was calibrated with. */
interface Sourced {
  readonly value: number | null;
  readonly source: string;
  readonly prompt: string | null;
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
}

const NONE: Sourced = { value: null, source: 'none', prompt: null };

/**
 * Reads them before anything heavy is loaded. What is given as a number is neither looked for nor checked.
 *
 * @throws ModelError ERR_MODEL_MISMATCH for thresholds of another model or another prompt; ERR_MODEL_NOT_FOUND and
 * ERR_MODEL_INVALID for a file or manifest that cannot be used
 */
export async function thresholdsOf(
  { clip, rewardModel }: ResolvedModels,
  { thresholds: given, thresholdsFile: path }: ThresholdOptions,
  policy: Policy,
): Promise<ThresholdsInForce> {
  const named = path === undefined ? null : { path, file: await readThresholds(path) };
  const isWanted = (folder: string | null, number: number | undefined) => folder !== null && number === undefined;
  const score = isWanted(clip, given?.unsafeClipScore) ? await clipThreshold(clip ?? '', named, policy) : NONE;
  const reward = isWanted(rewardModel, given?.safeReward)
    ? await rewardThreshold(rewardModel ?? '', named, policy)
    : NONE;
  return overrideThresholds(
    {
      thresholds: { unsafeClipScore: score.value, safeReward: reward.value },
      thresholdSources: { unsafeClipScore: score.source, safeReward: reward.source },
      calibratedPrompts: { unsafeClipScore: score.prompt, safeReward: reward.prompt },
    },
    given,
    'option',
  );
}

async function clipThreshold(folder: string, named: Placed | null, { safetyPrompt }: Policy): Promise<Sourced> {
  const manifest = await readManifest(folder, clipManifestSchema);
  const placed = named?.file.clip ? named : await installedThresholds(folder);
  const part = placed?.file.clip;
  if (!placed || !part) return ofManifest(manifest.unsafeClipScore, manifest.calibration, SAFETY_PROMPT);
  const prompt = { name: 'safety prompt', bound: part.safetyPrompt, used: safetyPrompt };
  checkBond({ what: 'CLIP model', score: 'A CLIP score', path: placed.path, bound: part.model, manifest, prompt });
  return { value: part.unsafeClipScore, source: placed.path, prompt: part.safetyPrompt };
}

async function rewardThreshold(folder: string, named: Placed | null, policy: Policy): Promise<Sourced> {
  const manifest = await readManifest(folder, rewardManifestSchema);
  const placed = named?.file.rewardModel ? named : await installedThresholds(folder);
  const part = placed?.file.rewardModel;
  if (!placed || !part) return ofManifest(manifest.safeReward, manifest.calibration, POST_EVALUATION_PROMPT);
  const { postEvaluationPrompt } = policy;
  const prompt = { name: 'post-evaluation prompt', bound: part.postEvaluationPrompt, used: postEvaluationPrompt };
  checkBond({ what: 'reward model', score: 'A reward', path: placed.path, bound: part.model, manifest, prompt });
  return { value: part.safeReward, source: placed.path, prompt: part.postEvaluationPrompt };
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

/** How each is named in words, and found. */
const WORDS = {
  unsafeClipScore: { model: 'CLIP model', flags: '--safe DIR --unsafe DIR' },
  safeReward: { model: 'reward model', flags: '--safe-answers FILE --unsafe-answers FILE' },
} as const;

/**
 * A threshold to compare with. Scores of another model are on another scale, so no default can stand in for one that
 * nobody knows.
 *
 * @throws ModelError ERR_NO_THRESHOLD
 */
export function knownThreshold(thresholds: Thresholds, name: keyof Thresholds, method: Policy['method']): number {
  const threshold = thresholds[name];
  if (threshold !== null) return threshold;
  const { model, flags } = WORDS[name];
  throw new ModelError(
    'ERR_NO_THRESHOLD',
    `Expected a threshold of the ${model} for method '${method}', received a model without one: it was never calibrated. ` +
      `Find it with 'eta-vlm calibrate ${flags}' and name the file in thresholdsFile. Or give thresholds.${name}.`,
  );
}

/**
 * Refuses a method that decides by a threshold that nobody knows.
 *
 * @param hasImages whether a CLIP score may be asked for
 * @throws ModelError ERR_NO_THRESHOLD
 */
export function checkThresholds(
  thresholds: Thresholds,
  { method, hasImages }: { readonly method: Policy['method']; readonly hasImages: boolean },
): void {
  const { gatesImage, gatesAnswer } = METHOD_PLANS[method];
  if (gatesImage && hasImages) knownThreshold(thresholds, 'unsafeClipScore', method);
  // An aligned answer is judged by its reward, whoever asked for it.
  if (gatesImage || gatesAnswer) knownThreshold(thresholds, 'safeReward', method);
}
