/** A policy with what a caller names put in its place. What is named has to have a meaning. */
import { UsageError } from '../errors.js';
import { METHODS, planOf, takesGate } from './methods.js';
import type { Policy } from './policy.js';
import type { DecisionOptions } from './policy-options.js';

type Decisions = Omit<Policy, 'name'>;

/**
 * The policy with what the options name put in its place.
 *
 * What is named goes before what was said for every request: a method that takes no gate passes over one that was named before,
 * so do `vanilla`, and an answer that is returned, over a ladder, and one that nobody judges over how it would go out.
 *
 * @param what how a message calls the options, such as "request"
 * @throws UsageError ERR_INVALID_OPTION for an `answerTopP` that is named for an answer which is not drawn, for an
 * `acceptAbove` where all candidates are drawn at once, a `principle` without weight: they would change nothing; for a gate
 * before a method that takes none, for a ladder where no answer is made again, or behind one that has left, and for a `release` of an answer that nobody
 * judges
 */
export function overridePolicy(policy: Policy, options: DecisionOptions, what: string): Policy {
  const { name: _name, ...decisions } = policy;
  const names = Object.keys(decisions) as readonly (keyof Decisions)[];
  const named = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  const merged = { ...policy, ...(Object.fromEntries(named) as Partial<Decisions>) };
  checkFits(merged, options, what);
  return {
    ...merged,
    gate: takesGate(merged.method) ? merged.gate : null,
    ladder: merged.whenStillUnsafe === 'refuse' ? [...merged.ladder] : [],
  };
}

/** What is named has to have a meaning. @throws UsageError ERR_INVALID_OPTION */
function checkFits(policy: Policy, options: DecisionOptions, what: string): void {
  const { method, answerTemperature, candidateCount, firstCandidateCount, principleWeight, whenStillUnsafe } = policy;
  const { gate, ladder = [], answerTopP = 1, acceptAbove, release } = options;
  const refuse = (message: string) => new UsageError('ERR_INVALID_OPTION', `${what}: ${message}`);
  if (answerTopP !== 1 && answerTemperature === 0)
    throw refuse(
      `answerTopP: expected 1 for an answer that is not drawn, received ${answerTopP}. Give an answerTemperature above 0 with it, or leave it out.`,
    );
  if (acceptAbove !== undefined && (firstCandidateCount === 0 || firstCandidateCount >= candidateCount))
    throw refuse(
      `acceptAbove: expected none where all candidates are drawn at once, received ${acceptAbove}. Give a firstCandidateCount above 0 and below candidateCount (${candidateCount}) with it, or leave it out.`,
    );
  if (options.principle !== undefined && principleWeight === 0)
    throw refuse(
      'principle: expected none for an answer that does not lean towards it, received a text. Give a principleWeight above 0 with it, or leave it out.',
    );
  if (gate !== undefined && !takesGate(method)) {
    const why = method === 'vanilla' ? 'makes no answer again' : 'is its gate';
    const takers = METHODS.filter(takesGate).join(', ');
    throw refuse(
      `gate: expected none for method '${method}', which ${why}, received '${gate}'. Leave it out, or take one of the methods ${takers}.`,
    );
  }
  if (ladder.length > 0 && planOf({ method, gate: null }).gate === null)
    throw refuse(
      `ladder: expected none for method '${method}', which makes no answer again, received ${ladder.join(', ')}. Leave it out, or take another method.`,
    );
  if (ladder.length > 0 && whenStillUnsafe === 'return')
    throw refuse(
      `ladder: expected none where an unsafe answer is given out, because its text has left when it is judged, received ${ladder.join(', ')}. Give whenStillUnsafe: 'refuse' with it, or leave it out.`,
    );
  const before = takesGate(method) ? policy.gate : null;
  if (release === 'checked' && !planOf({ method, gate: before }).gatesAnswer)
    throw refuse(
      `release: expected 'whole' for method '${method}'${before === null ? '' : ` behind gate '${before}'`}, which judges no answer of the model's own, received 'checked'. Name another, or leave it out.`,
    );
}
