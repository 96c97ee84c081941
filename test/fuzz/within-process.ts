/** Cases within this process: for what refuses in JavaScript, and ends no process. */
import { type FuzzOptions, seedsOf } from './fuzz.js';
import { outcomeOf, RAW, type Tally } from './tally.js';

const HANG_MS = 20_000;

/** @param use tries one case, and says how it went where it went well */
export async function tryWithin(
  tally: Tally,
  options: FuzzOptions,
  use: (seed: number) => string | Promise<string>,
): Promise<void> {
  for (const [index, seed] of seedsOf(options).entries()) {
    tally.add(seed, await inTime(async () => await use(seed)));
    options.onProgress?.(index + 1);
  }
}

async function inTime(use: () => Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`${RAW}hangs`), HANG_MS);
  });
  try {
    return await Promise.race([use().catch(outcomeOf), late]);
  } finally {
    clearTimeout(timer);
  }
}
