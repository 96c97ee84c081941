/** Vectors of CLIP. */
import { EvaluatorError } from '../errors.js';

/**
 * Cosine of two unit vectors: a CLIP score, about 0.1 to 0.35, never times 100.
 *
 * @throws EvaluatorError ERR_EVALUATOR when the lengths differ or a value is not finite
 */
export function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      `cosine: expected vectors of one length, received ${a.length} and ${b.length}. Take both from the same CLIP model.`,
    );
  }
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  if (!Number.isFinite(sum))
    throw new EvaluatorError('ERR_EVALUATOR', 'cosine: expected finite vectors, received NaN or Infinity.');
  return sum;
}

/**
 * The vector at length 1.
 *
 * @throws EvaluatorError ERR_EVALUATOR for a vector of zeros or one with a value that is not finite
 */
export function unit(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (!(length > 0) || !Number.isFinite(length)) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      `CLIP returned an embedding of length ${length}; expected a finite one above 0. The graph is damaged: export it again.`,
    );
  }
  return vector.map((value) => value / length);
}
