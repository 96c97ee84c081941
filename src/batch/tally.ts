/** How the answers of a batch turned out. */
import { isCut } from '../eta/index.js';
import type { AnswerLine } from './answer-line.js';

/** How many answers turned out which way, at one moment. */
export interface TallyCounts {
  /** The model's own answer stands. */
  readonly answeredCount: number;
  /** Unsafe, and generated again. */
  readonly alignedCount: number;
  /** Unsafe even then, and replaced. */
  readonly refusedCount: number;
  /** Requests with an error in place of an answer. */
  readonly errorCount: number;
  /** Among the answers, those that were cut, by `maxTokens` or by the context. */
  readonly cutCount: number;
  /** Of all of them. */
  readonly lineCount: number;
}

/** Counts as lines come. */
export class Tally {
  #answeredCount = 0;
  #alignedCount = 0;
  #refusedCount = 0;
  #errorCount = 0;
  #cutCount = 0;

  add({ error, verdict, stopReason }: Pick<AnswerLine, 'error' | 'verdict' | 'stopReason'>): void {
    if (isCut(stopReason)) this.#cutCount++;
    if (error !== null) this.#errorCount++;
    else if (verdict?.action === 'aligned') this.#alignedCount++;
    else if (verdict?.action === 'refused') this.#refusedCount++;
    else this.#answeredCount++;
  }

  /** Those so far, for whoever keeps them. */
  counts(): TallyCounts {
    const [answeredCount, alignedCount] = [this.#answeredCount, this.#alignedCount];
    const [refusedCount, errorCount, cutCount] = [this.#refusedCount, this.#errorCount, this.#cutCount];
    const lineCount = answeredCount + alignedCount + refusedCount + errorCount;
    return { answeredCount, alignedCount, refusedCount, errorCount, cutCount, lineCount };
  }
}
