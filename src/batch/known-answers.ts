/** What a results file holds: which requests have an answer, and how the answers turned out. */
import type { AnswerLine } from './answer-line.js';
import { Tally } from './tally.js';

/** What is known of a request that stands in the file. */
export interface KnownAnswer {
  /** What tells the request from another under the same id. */
  readonly digest: string;
  /** Whether there is an error in place of an answer. */
  readonly isError: boolean;
}

/** What tells a refused request that has no id from others. */
export function refusalKey(line: number, digest: string): string {
  return `${line} ${digest}`;
}

export class KnownAnswers {
  readonly tally = new Tally();
  /** {@link refusalKey} of each line whose request had no id. */
  readonly refused = new Set<string>();
  readonly #byId = new Map<string, KnownAnswer>();

  find(id: string): KnownAnswer | undefined {
    return this.#byId.get(id);
  }

  add({ id, line, digest, error, verdict, stopReason }: AnswerLine): void {
    if (id === null) this.refused.add(refusalKey(line, digest));
    else this.#byId.set(id, { digest, isError: error !== null });
    this.tally.add({ error, verdict, stopReason });
  }
}
