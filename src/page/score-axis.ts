/** The line that scores lie on: from where to where, and at which round numbers it is marked. */
import type { Histogram } from './wire.js';

export interface ScoreAxis {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** Digits behind the point that its ticks need. */
  readonly digits: number;
  /** Place of a score, from 0 to 1. */
  place(score: number): number;
}

/** Wide enough for the bins, the threshold and the scores, with a margin. */
export function scoreAxis(scores: readonly number[], threshold: number, histogram: Histogram | null): ScoreAxis {
  const bins = histogram?.bins ?? [];
  const ends = [threshold, ...scores, ...bins.flatMap(({ from, to }) => [from, to])];
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  // Without bins nothing says what is far: the threshold stands amid twice the distance that there is.
  const margin = bins.length > 0 ? (high - low) * 0.02 : Math.max((high - low) * 0.6, Math.abs(threshold) * 0.25, 0.02);
  const [from, to] = [low - margin, high + margin];
  const step = roundStep((to - from) / 4);
  const first = Math.ceil(from / step) || 0; // no −0
  const count = Math.floor(to / step) - first + 1;
  const ticks = Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return { from, to, ticks, digits, place: (score) => (score - from) / (to - from) };
}

/** 1, 2 or 5 times a power of ten, at least this. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}
