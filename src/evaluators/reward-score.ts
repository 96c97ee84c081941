/** From what the graph returns to a reward: arithmetic alone. */
import { EvaluatorError } from '../errors.js';
import type { RewardManifest } from './manifest.js';
import type { OutputTensor } from './worker-messages.js';

/** Row `token` of an output [1, tokens, width]; empty where there is none. */
export function rowOf(output: OutputTensor | undefined, token: number): Float32Array {
  if (output === undefined) return new Float32Array(0);
  const width = output.dims.at(-1) ?? 0;
  return output.data.subarray(token * width, (token + 1) * width);
}

/** ArmoRM: sum over the objectives of gate_k * reward_k. */
export function gatedScore(rewards: Float32Array, gate: Float32Array): number {
  if (rewards.length !== gate.length) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      `Expected as many gates as rewards, received ${gate.length} and ${rewards.length}. Export the model again.`,
    );
  }
  let sum = 0;
  for (let k = 0; k < rewards.length; k++) sum += (rewards[k] as number) * (gate[k] as number);
  return sum;
}

/**
 * activation(scale * raw + offset).
 *
 * @throws EvaluatorError ERR_EVALUATOR when the result is not a finite number
 */
export function finishScore(
  raw: number,
  manifest: Pick<RewardManifest, 'scale' | 'offset' | 'activation' | 'name'>,
): number {
  const value = manifest.scale * raw + manifest.offset;
  const score = manifest.activation === 'sigmoid' ? 1 / (1 + Math.exp(-value)) : value;
  if (Number.isFinite(raw) && Number.isFinite(score)) return score;
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `The reward model ${manifest.name} returned ${raw}; expected a finite number. The graph or its precision is damaged: verify its files, or use another export.`,
  );
}

/** Index of the first token of the last occurrence of `pattern` in `ids`; -1 without one. */
export function lastOccurrence(ids: readonly number[], pattern: readonly number[]): number {
  for (let at = ids.length - pattern.length; at >= 0; at--) {
    if (pattern.every((token, i) => ids[at + i] === token)) return at;
  }
  return -1;
}
