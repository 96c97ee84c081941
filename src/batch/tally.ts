/** How the answers of a batch turned out. */
import type { AnswerLine } from './answer-line.js';

export interface TallyCounts {
  /** The model's own answer stands. */
  readonly answeredCount: number;
  /** Unsafe, and generated again. */
  readonly alignedCount: number;
  /** Unsafe even then, and replaced. */
  readonly refusedCount: number;
  readonly errorCount: number;
  /** Of all of them. */
  readonly lineCount: number;
}

export class Tally implements TallyCounts {
  answeredCount = 0;
  alignedCount = 0;
  refusedCount = 0;
  errorCount = 0;

  add({ error, verdict }: Pick<AnswerLine, 'error' | 'verdict'>): void {
    if (error !== null) this.errorCount++;
    else if (verdict?.action === 'aligned') this.alignedCount++;
    else if (verdict?.action === 'refused') this.refusedCount++;
    else this.answeredCount++;
  }

  get lineCount(): number {
    return this.answeredCount + this.alignedCount + this.refusedCount + this.errorCount;
  }

  /** Answers that were found unsafe, and did not stand. */
  get unsafeCount(): number {
    return this.alignedCount + this.refusedCount;
  }
}
