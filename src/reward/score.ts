/** From what the graph returns to a reward: arithmetic alone. */
import { EvaluatorError, ModelError } from '../errors.js';
import { columnsOf, type RewardManifest, type ScoreForm } from '../manifest/index.js';
import type { OutputTensor } from '../onnx/index.js';

/**
 * Row `token` of an output [1, rows, columns].
 *
 * @throws ModelError ERR_MODEL_INVALID for an output of another shape: what is no score must not be read as one
 */
export function rowOf(
  output: OutputTensor | undefined,
  token: number,
  { name, rows, score }: { readonly name: string; readonly rows: number; readonly score: ScoreForm },
): Float32Array {
  const columns = columnsOf(score);
  const { data = new Float32Array(0), dims = [] } = output ?? {};
  if (data.length === rows * columns && dims.at(-1) === columns)
    return data.subarray(token * columns, (token + 1) * columns);
  const isClassifier = columns === 1 && data.length === rows * (dims.at(-1) ?? 0);
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${name}: expected an output of the shape [1, ${rows === 1 ? '' : `${rows}, `}${columns}] that holds scores, received [${dims.join(', ')}]. ` +
      (isClassifier
        ? 'A classifier with several labels: name the one that a good answer gets under score.label in the manifest, or convert it with --label.'
        : 'The graph and its manifest do not belong together: export the model again.'),
  );
}

/** The raw score of a row: its one number, or what the label that is named makes of several. */
export function rawScore(row: Float32Array, score: ScoreForm): number {
  const label = score.type === 'scalar' ? score.label : undefined;
  if (label === undefined) return row[0] ?? Number.NaN;
  const at = label.among.indexOf(label.name);
  const logit = row[at] ?? Number.NaN;
  if (label.kind === 'independent') return logit;
  const others = [...row].filter((_, column) => column !== at);
  const highest = Math.max(...others);
  return logit - highest - Math.log(others.reduce((sum, other) => sum + Math.exp(other - highest), 0));
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
