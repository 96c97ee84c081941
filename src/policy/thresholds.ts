/** Whether the thresholds that a method decides by are known. */
import { ModelError } from '../errors.js';
import type { Thresholds } from '../types.js';
import { METHOD_PLANS } from './methods.js';
import type { Policy } from './policy.js';

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
