/** What came of the cases of a fuzzer: how often each outcome, and before each fault the seed that does it again alone. */
import { EtaError } from '../../src/errors.js';
import type { FuzzResult } from './fuzz.js';

/** What an outcome begins with that is a fault. */
export const RAW = 'raw: ';

/** Words of the machine in a sentence that is for people. */
const RAW_WORDS = /Cannot read propert|is not a function|is not iterable|is not defined|\[object /;

/** The code of an error of ours; of any other what it says. */
export function outcomeOf(error: unknown): string {
  if (!(error instanceof EtaError)) return RAW + (error instanceof Error ? error.stack : String(error));
  return RAW_WORDS.test(error.message) ? `${RAW}${error.code} ${error.message}` : error.code;
}

export class Tally {
  readonly outcomes: Record<string, number> = {};
  readonly faults: string[] = [];

  add(seed: number, outcome: string): void {
    const isRaw = outcome.startsWith(RAW);
    const name = isRaw ? 'raw error' : outcome;
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
    if (isRaw) this.fault(seed, outcome);
  }

  fault(seed: number, how: string): void {
    this.faults.push(`seed ${seed}: ${how}`);
    process.stderr.write(`${this.faults.at(-1)}\n`); // a long run may be ended before it tells them all
  }

  result(count: number): FuzzResult {
    return { count, outcomes: this.outcomes, faults: this.faults };
  }
}
