/** So many sequences decoded side by side, by ours: over the engine, without anything that judges. */
import type { Context, SamplerOptions } from '../../src/engine/index.js';

interface Lanes {
  /** Each lane's own prompt; one alone: all lanes are forks behind it. */
  readonly prompts: readonly Int32Array[];
  readonly laneCount: number;
  readonly tokens: number;
  readonly sampler: (lane: number) => SamplerOptions;
}

/** Milliseconds a token of all lanes together, prompts included. */
export async function decodeLanes(context: Context, lanes: Lanes): Promise<number> {
  const { prompts, laneCount, tokens, sampler } = lanes;
  const promptCells = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
  const startedAt = performance.now();
  await using lease = await context.reserve({
    cellCount: promptCells + laneCount * tokens,
    sequenceCount: laneCount + prompts.length,
  });
  const roots = await Promise.all(
    prompts.map(async (prompt) => {
      const root = await lease.createSequence();
      await root.prefill([prompt]);
      return root;
    }),
  );
  const [first] = roots;
  const sequences = roots.length === 1 && first !== undefined ? await first.fork(laneCount) : roots;
  const decoded = await Promise.all(
    sequences.map((sequence, lane) => sequence.decode({ sampler: sampler(lane), maxTokens: tokens })),
  );
  return (performance.now() - startedAt) / decoded.reduce((sum, one) => sum + one.tokens.length, 0);
}
