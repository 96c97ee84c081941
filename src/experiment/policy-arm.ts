/** A policy as an arm beside others, whatever the models were loaded with. */
import { POLICIES } from '../policy/index.js';
import type { PolicyName } from '../types/policy.js';
import type { Arm } from './arms.js';

/** ETA with all that policies differ in. */
export function underPolicy(name: PolicyName): Arm {
  const { gate, firstCandidateCount, ladder, sentenceEnd, whenStillUnsafe, mayBeEmpty } = POLICIES[name];
  const options = {
    gate: gate ?? 'both',
    firstCandidateCount,
    ladder,
    sentenceEnd,
    whenStillUnsafe,
    mayBeEmpty,
  } as const;
  return { name, method: 'eta', options };
}
