/** How far two judges agree beyond chance. */
import { UsageError } from '../errors.js';
import { bootstrap } from './bootstrap.js';
import type { Estimate } from './estimate.js';

/**
 * Cohen's kappa of two judges' verdicts on the same items (Educational and Psychological Measurement 20, 1960), with an
 * interval by bootstrap over items. 1: always the same; 0: as often as by chance. NaN when either all is one verdict, or
 * there is nothing.
 *
 * @throws UsageError ERR_INVALID_OPTION when the lists differ in length
 */
export function kappa(first: readonly string[], other: readonly string[]): Estimate {
  if (first.length !== other.length) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `kappa: expected two verdicts for each item, received ${first.length} and ${other.length}.`,
    );
  }
  const pairs = first.map((verdict, index) => ({ one: verdict, two: other[index] ?? '' }));
  return bootstrap(pairs, kappaOf);
}

function kappaOf(pairs: readonly { readonly one: string; readonly two: string }[]): number {
  const verdicts = new Set(pairs.flatMap(({ one, two }) => [one, two]));
  const share = (is: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(is).length / pairs.length;
  const seen = share(({ one, two }) => one === two);
  let byChance = 0;
  for (const verdict of verdicts) byChance += share(({ one }) => one === verdict) * share(({ two }) => two === verdict);
  return byChance === 1 ? Number.NaN : (seen - byChance) / (1 - byChance);
}
