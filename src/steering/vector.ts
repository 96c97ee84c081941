/** A safety vector: a direction, and the layer behind which it is added to what the model computes. */
export interface SafetyVector {
  /** Counted from 0, as llama.cpp counts layers: from 1, which has the first direction that it can add. */
  readonly layer: number;
  /** One number for each of the model's embedding. */
  readonly values: Float32Array;
}

/** The model that a vector is of, or is to be added to. */
export interface VectorHome {
  /** `general.architecture` of its file. */
  readonly architecture: string;
  /** Length of its hidden states. */
  readonly embeddingSize: number;
  readonly layerCount: number;
}

/** The same direction, so many times as long. */
export function scaled({ layer, values }: SafetyVector, scale: number): SafetyVector {
  return { layer, values: values.map((value) => value * scale) };
}
