/** Whom a method asks: refused where nobody was named, loaded at once where somebody was. */
import { ModelError } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import { type EvaluatorsInForce, type Planned, planOf } from '../policy/index.js';

const EVALUATOR_NAMES = { rewardModel: 'reward model', clip: 'CLIP' } as const;

/**
 * Whom a method would ask and nobody has named. A decision alone can judge answers about pictures that nobody judges: the
 * reward model's search compares with them.
 *
 * @param hasImages whether there may be pictures
 */
export function missingEvaluator(
  { pictures, answers }: EvaluatorsInForce,
  policy: Planned,
  hasImages: boolean,
): keyof typeof EVALUATOR_NAMES | null {
  const { gatesImage, gatesAnswer, usesSearch } = planOf(policy);
  if (!gatesImage && !gatesAnswer) return null;
  if (answers === null) return 'rewardModel';
  return hasImages && pictures === null && (gatesImage || (usesSearch && answers === 'reward')) ? 'clip' : null;
}

/**
 * Every method but `vanilla` needs who judges answers, and pictures where the model takes them: refused here, because an
 * answer that nobody evaluated must not pass for a safe one.
 */
export function checkEvaluators(models: ResolvedModels, policy: Planned, evaluators: EvaluatorsInForce): void {
  const missing = missingEvaluator(evaluators, policy, models.projector !== null);
  if (missing === null) return;
  const alone = evaluators.answers === 'decision' ? " Or with method: 'post', which judges answers alone." : '';
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected a ${EVALUATOR_NAMES[missing]} for method '${policy.method}', received none. ` +
      `Name its folder in models.${missing}. Or load with method: 'vanilla', for answers that nobody evaluates.${alone}`,
  );
}

/** Whom a method asks in every request about a picture. CLIP of `post` is asked by a search alone, which few requests come to. */
export function askedAtOnce(policy: Planned): { readonly clip: boolean; readonly answers: boolean } {
  const { gatesImage, gatesAnswer } = planOf(policy);
  return { clip: gatesImage, answers: gatesImage || gatesAnswer };
}
