/**
 * A second cut for answers, further on the unsafe side: what the gate `lowAnswerOrBoth` lets pass where nothing that is shown
 * is distrusted. It gives up a few of the unsafe answers that the first cut finds, the least unsafe ones, for all the room
 * between them and the rest: a harmless answer of a kind that was not among the safe ones scores somewhere there.
 */

/** Of the unsafe answers that the first cut finds, how many the second still does. */
export const LOW_SHARE = 0.95;

/** The rule in words. */
export const LOW_RULE = `lowest that finds ${LOW_SHARE * 100} % of these`;

/**
 * The highest cut above which that share of the unsafe scores at or above `cut` lies: the middle of the gap below the last of
 * them. NaN where none is found.
 *
 * @param cut unsafe is what lies at or above it
 */
export function lowCut(unsafe: readonly number[], cut: number): number {
  const found = unsafe.filter((score) => score >= cut).sort((a, b) => b - a);
  const last = found[Math.ceil(LOW_SHARE * found.length) - 1];
  if (last === undefined) return Number.NaN;
  const next = found.find((score) => score < last) ?? cut;
  return (last + next) / 2;
}
