/** What happens to an answer that is longer than the reward model reads. */

/** Sequences that fit, and how many tokens were left out in all to make them fit. */
export interface FittedSequences {
  readonly sequences: readonly (readonly number[])[];
  readonly cutTokenCount: number;
}

/** Tokens are left out in multiples of this, so that most rounds of a search still share their cache. */
const CUT_MULTIPLE = 64;

/**
 * Sequences longer than `maxTokens` lose a stretch from the middle of their answers, the same for all where they are long
 * enough: the prompt, the beginning of the answer, its newest sentence (in which candidates differ) and its end stay.
 *
 * @param headCount tokens of the prompt, before the answer
 * @param tailCount tokens that close the answer
 */
export function fitSequences(
  sequences: readonly (readonly number[])[],
  limits: { maxTokens: number; headCount: number; tailCount: number },
): FittedSequences {
  const { maxTokens, headCount, tailCount } = limits;
  const longest = Math.max(0, ...sequences.map((sequence) => sequence.length));
  if (longest <= maxTokens) return { sequences, cutTokenCount: 0 };
  const room = Math.max(0, maxTokens - headCount - tailCount);
  const keptUntil = headCount + Math.floor(room / 2);
  // Never so much that nothing of the newer half is left.
  const drop = Math.min(
    Math.ceil((longest - maxTokens) / CUT_MULTIPLE) * CUT_MULTIPLE,
    longest - keptUntil - tailCount - 1,
  );
  let cutTokenCount = 0;
  const fitted = sequences.map((sequence) => {
    const spare = sequence.length - keptUntil - tailCount - 1;
    const cut = spare >= drop ? drop : Math.max(0, sequence.length - maxTokens);
    cutTokenCount += cut;
    return cut === 0 ? sequence : [...sequence.slice(0, keptUntil), ...sequence.slice(keptUntil + cut)];
  });
  return { sequences: fitted, cutTokenCount };
}
