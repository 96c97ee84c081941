/** How far a batch is: one line on a terminal, else a line every some seconds. */
import type { AnswerLine, BatchProgress } from '../batch/index.js';
import { type Output, tell, write } from '../terminal/output.js';
import { Progress } from '../terminal/progress.js';

/** Of a line on a terminal, and of one elsewhere, in ms. */
const EVERY_MS = { terminal: 200, log: 10_000 } as const;
/** The rate is that of so many ms. */
const RATE_WINDOW_MS = 60_000;
/** Failed lines that the summary tells. */
const TOLD_FAILURES = 3;

export class BatchProgressLine {
  /** The first failures. */
  readonly failures: AnswerLine[] = [];
  latest = { doneCount: 0, keptCount: 0 };
  readonly #output: Output;
  readonly #line: Progress;
  readonly #isTerminal: boolean;
  #expectedCount: number | null = null;
  #toldAt: number;
  /** How much was answered when, the oldest first. */
  readonly #marks: { readonly at: number; readonly count: number }[] = [];

  constructor(output: Output = process.stderr, now = performance.now()) {
    this.#output = output;
    this.#line = new Progress(output);
    this.#isTerminal = output.isTTY === true && process.env['TERM'] !== 'dumb';
    this.#toldAt = now;
    this.#marks.push({ at: now, count: 0 });
  }

  /** @param count of the requests; null when nobody knows */
  expect(count: number | null): void {
    this.#expectedCount = count;
  }

  show(progress: BatchProgress, now = performance.now()): void {
    this.latest = progress;
    const { line } = progress;
    if (line !== null && line.error !== null && this.failures.length < TOLD_FAILURES) this.failures.push(line);
    if (now - this.#toldAt < (this.#isTerminal ? EVERY_MS.terminal : EVERY_MS.log)) return;
    this.#toldAt = now;
    this.#marks.push({ at: now, count: progress.doneCount - progress.keptCount });
    while (this.#marks.length > 2 && now - (this.#marks[0]?.at ?? now) > RATE_WINDOW_MS) this.#marks.shift();
    const columns = this.#isTerminal ? this.#line.columns : Number.POSITIVE_INFINITY;
    const text = progressText(progress, this.#expectedCount, this.#rate(), columns);
    if (this.#isTerminal) this.#line.show(text);
    else write(this.#output, `${text}\n`);
  }

  /** A line that stays. */
  note(text: string): void {
    this.clear();
    tell(text, this.#output);
  }

  clear(): void {
    this.#line.clear();
  }

  /** Answers a second. */
  #rate(): number {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return (1000 * (last.count - first.count)) / (last.at - first.at);
  }
}

/**
 * "137 of 500, 27 %, 12.4 a second, 29 s left, 41 unsafe, no errors".
 *
 * @param columns that it may have: what tells least is left out first
 */
export function progressText(
  { doneCount, tally }: Pick<BatchProgress, 'doneCount' | 'tally'>,
  expectedCount: number | null,
  rate: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const leftCount = expectedCount === null ? null : Math.max(0, expectedCount - doneCount);
  const share = expectedCount === null || expectedCount === 0 ? null : Math.min(1, doneCount / expectedCount);
  const unsafeCount = tally.alignedCount + tally.refusedCount;
  const errors = `${tally.errorCount === 0 ? 'no' : tally.errorCount} ${tally.errorCount === 1 ? 'error' : 'errors'}`;
  const isRated = rate > 0;
  const parts = [
    expectedCount === null ? `${doneCount} done` : `${doneCount} of ${Math.max(expectedCount, doneCount)}`,
    share === null ? null : `${Math.floor(100 * share)} %`,
    isRated ? rateText(rate) : null,
    isRated && leftCount !== null && leftCount > 0 ? `${durationText((1000 * leftCount) / rate)} left` : null,
    `${unsafeCount} unsafe`,
    errors,
  ];
  const text = () => parts.filter((part) => part !== null).join(', ');
  const [rateAt, shareAt, unsafeAt, errorsAt, leftAt] = [2, 1, 4, 5, 3];
  const spared = tally.errorCount === 0 ? [errorsAt, rateAt] : [rateAt];
  for (const part of [...spared, shareAt, unsafeAt, leftAt]) {
    if (text().length <= columns) break;
    parts[part] = null;
  }
  return text();
}

export function rateText(rate: number): string {
  return rate >= 1 || rate === 0 ? `${rate.toFixed(1)} a second` : `${(60 * rate).toFixed(1)} a minute`;
}

/** "41 s", "12 min", "3 h 20 min". */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 99.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
