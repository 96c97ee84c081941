/** What is too long for every change: each proof a command of its own, and what came of it. */

export interface Proof {
  /** How it is called. */
  readonly name: string;
  /** What it shows, in a few words. */
  readonly shows: string;
  /** As it is typed in the package's folder. 0: shown; 3: it could not run here; anything else: not so. */
  readonly command: readonly [program: string, ...args: string[]];
}

export type Outcome = 'shown' | 'not shown' | 'could not run';

export interface ProofResult {
  readonly name: string;
  readonly outcome: Outcome;
  /** The status that the command ended with; null where a signal ended it. */
  readonly status: number | null;
  /** When it began, as ISO 8601. */
  readonly begunAt: string;
  readonly seconds: number;
  /** The machine's load over a minute, when it began and when it ended. */
  readonly load: readonly [number, number];
  /** The end of what it printed. */
  readonly lastLines: readonly string[];
}

const COULD_NOT_RUN = 3;

export function outcomeOf(status: number | null): Outcome {
  if (status === 0) return 'shown';
  return status === COULD_NOT_RUN ? 'could not run' : 'not shown';
}
