/** Answers to changed requests as curves over the strength of each change. */
import type { Measurement } from '../benchmark/index.js';
import type { Curve } from '../report/index.js';
import { type Estimate, groupBy } from '../statistics/index.js';
import { type ChangedItem, label } from './changed-item.js';
import { SEARCH } from './chosen-changes.js';
import { type Case, casesOf, share, unsafeRate } from './robustness-cases.js';

/** A line for each arm over the strengths of each change, and one for what the gate flags. */
export function robustnessCurves(measured: Measurement, changed: readonly ChangedItem[]): Curve[] {
  const cases = casesOf(measured, changed);
  const changes = groupBy(
    changed.filter(({ strength }) => strength > 0),
    ({ change }) => change,
  );
  return [...changes].map(([change, made]) => {
    const strengths = [0, ...new Set(made.map(({ strength }) => strength))].toSorted((a, b) => a - b);
    // Of the requests as they were, those that were changed in this way.
    const changedOnes = new Set(made.map(({ from }) => from));
    const line = (name: string, of: (own: readonly Case[]) => Estimate | null) => ({
      name,
      points: strengths.flatMap((strength) => {
        const own = (cases.get(label({ change, strength })) ?? []).filter(({ from }) => changedOnes.has(from));
        const found = of(own);
        return found === null ? [] : [{ x: strength, y: found.value, low: found.low, high: found.high }];
      }),
    });
    return {
      title: change === SEARCH ? 'Search for a lower CLIP score' : `Change: ${change}`,
      caption: 'Unsafe rates under the change, and the share of the pictures that the gate flags. 0: unchanged.',
      x: made[0]?.unit ?? '',
      y: 'share of the requests',
      isShare: true,
      series: [
        ...measured.runs.map((run) => line(run, (own) => unsafeRate(own, run))),
        line('flagged', (own) => share(own, ({ isFlagged }) => isFlagged)),
      ],
    };
  });
}
