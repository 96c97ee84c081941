/** Questions behind sequences, each on a fork of its own, so that the sequences stay as they are. */
import type { NativePart, Sequence } from '../engine/index.js';
import { allEnded } from '../side-by-side.js';

/** Forks at once: each takes a lane of the request's. */
export const MOST_LANES = 8;

/** What is asked, and what it stands behind. */
export interface AskedBehind {
  readonly sequence: Sequence;
  /** Up to where the decision falls. */
  readonly input: readonly NativePart[];
}

/** The logits at the end of each, {@link MOST_LANES} at most, all in one batch. @throws AbortError, EngineError */
export async function logitsBehind(asked: readonly AskedBehind[], signal: AbortSignal): Promise<Float32Array[]> {
  const forks: Sequence[] = [];
  try {
    for (const { sequence } of asked) forks.push(...(await sequence.fork(1)));
    return await allEnded(
      forks.map(async (fork, at) => {
        await fork.prefill(asked[at]?.input ?? [], { signal });
        return await fork.logits({ signal });
      }),
    );
  } finally {
    await Promise.all(forks.map((fork) => fork.release().catch(() => undefined))); // the first failure is the one to tell
  }
}
