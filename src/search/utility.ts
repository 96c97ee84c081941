/** What a candidate is chosen by: pure arithmetic. */

/** What the evaluators say of one candidate. */
export interface ScoredCandidate {
  /** Reward of everything accepted with this candidate behind it; null where nothing could be said of it. */
  readonly reward: number | null;
  /** Cosine of the picture and this candidate's text alone; null where there is no picture or the rule asks for none. */
  readonly clipScore: number | null;
  /** Whether the answer ends with it. */
  readonly isFinal: boolean;
}

/**
 * Whether the CLIP score counts in a round (1, 2, …): from the second on, unless one of its candidates ended the answer.
 * Source: the reference code; the paper's formula has the weight α = 1/i without the exceptions.
 */
export function roundUsesClip(round: number, candidates: readonly { readonly isFinal: boolean }[]): boolean {
  return round > 1 && !candidates.some(({ isFinal }) => isFinal);
}

/**
 * Utility of each candidate of a round: reward + (clipWeight / round) · CLIP score, or the reward alone where
 * {@link roundUsesClip} says so or a candidate has no CLIP score. Null without a reward: such a candidate is not chosen.
 */
export function utilities(
  round: number,
  candidates: readonly ScoredCandidate[],
  clipWeight: number,
): (number | null)[] {
  const usesClip = roundUsesClip(round, candidates);
  return candidates.map(({ reward, clipScore }) =>
    reward === null ? null : reward + (usesClip ? (clipWeight / round) * (clipScore ?? 0) : 0),
  );
}

/** Index of the first of the largest values among those that may be chosen; -1 when none may. NaN never wins. */
export function firstArgmax(
  values: readonly (number | null)[],
  mayChoose: (index: number) => boolean = () => true,
): number {
  let best = -1;
  for (const [index, value] of values.entries()) {
    if (!mayChoose(index) || value === null || Number.isNaN(value)) continue;
    if (best < 0 || value > (values[best] ?? Number.NEGATIVE_INFINITY)) best = index;
  }
  return best;
}
