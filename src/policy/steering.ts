/** Whether there is what a steered answer needs. */
import { UsageError } from '../errors.js';
import { METHOD_PLANS, rungsOf } from './methods.js';
import type { Policy } from './policy.js';

/** What was loaded that steering depends on. */
export interface Steerable {
  /** Whether a safety vector was. */
  readonly hasVector: boolean;
  /** Whether the language model judges its own answers, on the sequences that end with them. */
  readonly isSelf: boolean;
}

/**
 * Refuses a method, or a ladder, that would answer under a safety vector where none was loaded, and where the model would judge
 * what it said while it was steered.
 *
 * @param what how a message calls the options, such as "request"
 * @throws UsageError ERR_INVALID_OPTION
 */
export function checkSteering(policy: Policy, { hasVector, isSelf }: Steerable, what: string): void {
  if (!rungsOf(policy).includes('steered') || (hasVector && !isSelf)) return;
  const isMethod = METHOD_PLANS[policy.method].ownRung === 'steered';
  const named = isMethod ? "method: expected another than 'steered'" : "ladder: expected none with 'steered' in it";
  throw new UsageError(
    'ERR_INVALID_OPTION',
    isSelf
      ? `${what}: ${named} where the language model judges its own answers (decision: 'self'): it would judge this one while it is steered. Take a guard, or the reward model.`
      : `${what}: ${named}, because no safety vector was loaded. Make one with 'eta-vlm steer', and load with safetyVector.`,
  );
}
