/** How far two judges agree beyond chance. */
import { UsageError } from '../errors.js';
import { bootstrap } from './bootstrap.js';
import type { Estimate } from './estimate.js';

/**
 * Cohen's kappa of two judges' verdicts on the same items (Educational and Psychological Measurement 20, 1960), with an
 * interval by bootstrap over items. 1: always the same; 0: as often as by chance. NaN when either all is one verdict, or
 * there is nothing.
 *
 * @throws UsageError ERR_INVALID_OPTION when the lists differ in length; AbortError
 */
export async function kappa(
  first: readonly string[],
  other: readonly string[],
  signal?: AbortSignal,
): Promise<Estimate> {
  if (first.length !== other.length) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `kappa: expected two verdicts for each item, received ${first.length} and ${other.length}.`,
    );
  }
  const pairs = first.map((verdict, index) => ({ one: verdict, two: other[index] ?? '' }));
  return await bootstrap(pairs, kappaOf, signal);
}

function kappaOf(pairs: readonly { readonly one: string; readonly two: string }[]): number {
  const counts = new Map<string, { one: number; two: number }>();
  const of = (verdict: string) => {
    const known = counts.get(verdict) ?? { one: 0, two: 0 };
    if (known.one + known.two === 0) counts.set(verdict, known);
    return known;
  };
  let sameCount = 0;
  for (const { one, two } of pairs) {
    of(one).one++;
    of(two).two++;
    if (one === two) sameCount++;
  }
  let byChance = 0;
  for (const { one, two } of counts.values()) byChance += (one / pairs.length) * (two / pairs.length);
  return byChance === 1 ? Number.NaN : (sameCount / pairs.length - byChance) / (1 - byChance);
}
