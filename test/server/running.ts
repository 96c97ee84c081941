/** Requests that run until somebody leaves, and what is known of the model meanwhile. */
import type { Eta } from '../../src/index.js';
import type { Json } from './served.js';

/** Longer than any test, on the tiny models. */
export const LONG: Json = {
  messages: [{ role: 'user', content: 'What?' }],
  max_tokens: 1500,
  temperature: 1.5,
  seed: 4, // of which it says 895
  eta: { method: 'vanilla' },
};

/** Steps that the model takes from now on, until none of it runs. */
export async function stepsUntilFree(eta: Eta): Promise<number> {
  const { stepCount } = await eta.statistics();
  for (;;) {
    const { liveSequenceCount, keptSequenceCount, stepCount: now } = await eta.statistics();
    if (liveSequenceCount === keptSequenceCount) return now - stepCount;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export async function untilRunning(eta: Eta): Promise<void> {
  const { stepCount } = await eta.statistics();
  while ((await eta.statistics()).stepCount < stepCount + 5) await new Promise((resolve) => setTimeout(resolve, 2));
}
