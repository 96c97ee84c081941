/** What every fuzzer is: `npm run fuzz` runs those of fuzzers.ts. */

export interface FuzzOptions {
  readonly count: number;
  /** Of the first case; the others follow it by one. A case hangs on its seed alone. */
  readonly seed: number;
  readonly onProgress?: ((done: number) => void) | undefined;
}

export interface FuzzResult {
  readonly count: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Crashes, hangs, raw errors: `seed N: ` and what was seen; N with a count of 1 does it again. */
  readonly faults: readonly string[];
}

export interface Fuzz {
  readonly name: string;
  /** Of the long form. */
  readonly count: number;
  run(options: FuzzOptions): Promise<FuzzResult>;
}

export function seedsOf({ count, seed }: FuzzOptions): number[] {
  return Array.from({ length: count }, (_, index) => seed + index);
}
