/** The arms that what is loaded can answer under. */
import { LOW_OF_ANSWERS } from '../policy/index.js';
import type { Gate } from '../types/policy.js';
import type { Arm } from './arms.js';
import type { RunOptions } from './experiment.js';

/** An arm that lacks its threshold, or its safety vector, would answer nothing; it is left out, and that is said. */
export function knownArms(
  arms: readonly Arm[],
  { eta }: Pick<RunOptions, 'eta'>,
): { readonly known: readonly Arm[]; readonly notes: readonly string[] } {
  const { evaluators, thresholds, safetyVector, decision } = eta.facts;
  const low = LOW_OF_ANSWERS[evaluators.answers ?? 'reward'];
  const needsLow: Gate = 'lowAnswerOrBoth';
  const isSelf = decision !== null && decision.guard === null;
  const lacks: readonly (readonly [isLacking: (arm: Arm) => boolean, why: string])[] = [
    [
      ({ options }) => options?.gate === needsLow && thresholds[low] === undefined,
      `its gate ${needsLow} needs a low threshold of answers, which nobody has looked for. Find one with 'eta-vlm calibrate', or give thresholds.${low}`,
    ],
    [
      ({ method }) => method === 'steered' && safetyVector === null,
      "it needs a safety vector. Make one with 'eta-vlm steer', and name it with --safety-vector",
    ],
    [
      ({ method }) => method === 'steered' && safetyVector !== null && isSelf,
      'the language model would judge its own answer while it is steered',
    ],
  ];
  const isLacking = (arm: Arm) => lacks.some(([is]) => is(arm));
  return {
    known: arms.filter((arm) => !isLacking(arm)),
    notes: lacks.flatMap(([is, why]) => arms.filter(is).map(({ name }) => `The arm ${name} was left out: ${why}.`)),
  };
}
