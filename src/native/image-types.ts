/** A picture as the addon holds it. */

/** An encoded picture. Keeps the embeddings in main memory until disposed of; usable in every context of its model. */
export interface NativeImage {
  /** KV cells it takes (image rows plus the text rows that the model puts around or between tiles). */
  readonly tokenCount: number;
  /** Positions it takes; equals tokenCount unless the model uses M-RoPE. */
  readonly positionCount: number;
  /** Main memory that its embeddings, and its tokens of text, take until it is disposed of. */
  readonly embeddingBytes: number;
  /** Frees them; what was read of them stays in the cache. Idempotent. */
  dispose(): void;
}

/** An encoding, queued or in progress. */
export interface NativeEncoding {
  readonly image: Promise<NativeImage>;
  /** Makes `image` reject with CANCELLED: before it begins, or within one block of the encoder or of the table. */
  cancel(): void;
}
