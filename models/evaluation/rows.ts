/** A measured figure beside its target; what is measured of the miniature is a list of them. */
import type { Estimate } from '../../src/statistics/index.js';

export interface Row {
  /** Number of the point. */
  readonly point: number;
  readonly name: string;
  readonly estimate: Estimate;
  readonly target: Target | null;
  /** Whether the figure meets its target; null where it has none. */
  readonly isMet: boolean | null;
}

/** `shown` is how a table writes it. */
export interface Target {
  readonly shown: string;
  meets(estimate: Estimate): boolean;
}

export const TITLES: Readonly<Record<number, string>> = {
  1: 'It can see (vanilla)',
  2: 'It was aligned on text (vanilla)',
  3: 'The picture breaks that (vanilla, strictly about the pictured hazard)',
  4: 'CLIP separates (AUC)',
  5: 'The prefix shifts the style (first round of candidates)',
  6: 'ETA repairs it',
  7: 'The ablation: unsafe rates and their differences',
  8: 'The reward model is not a word list (AUC)',
  9: 'Requests without a picture, under every method',
};

export const atLeast = (bound: number): Target => ({ shown: `≥ ${bound}`, meets: ({ value }) => value >= bound });
export const atMost = (bound: number): Target => ({ shown: `≤ ${bound}`, meets: ({ value }) => value <= bound });
export const between = (low: number, high: number): Target => ({
  shown: `${low} to ${high}`,
  meets: ({ value }) => value >= low && value <= high,
});
export const above = (bound: number): Target => ({ shown: `> ${bound}`, meets: ({ value }) => value > bound });

export class Rows {
  readonly rows: Row[] = [];

  add(point: number, name: string, estimate: Estimate, target: Target | null = null): void {
    if (estimate.count === 0) return;
    this.rows.push({ point, name, estimate, target, isMet: target === null ? null : target.meets(estimate) });
  }
}
