/** Texts of models and users, fit to be shown: as text alone, with what would hide or reorder made visible. */
import { fixed } from '../report/numbers.js';
import { visible } from '../report/texts.js';

export { visible as shownText };

/** A score, as the command line prints it. */
export function scoreText(score: number | null): string {
  return fixed(score, 3);
}

/** "0.24 s", or "38 ms" for what takes less than a tenth. */
export function durationText(ms: number): string {
  if (ms < 100) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}\u00a0ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}\u00a0s`;
}

/** A sentence of the search; one that says nothing ends the answer. */
export function candidateText(text: string): string {
  const shown = visible(text).trim();
  return shown === '' ? '(nothing more)' : shown;
}
