/** What a sequence holds, counted here so that a caller need not wait for the addon's thread to know it. */
import type { NativePart, NativeSequenceFacts } from '../native/binding-types.js';

export interface SequenceContent {
  /** Tokens in the KV cache and pending; a picture counts its rows. */
  readonly tokenCount: number;
  /** Where the next token stands for the rotary embedding. */
  readonly position: number;
  /** Whether something is there to sample from, once what is pending is decoded. */
  readonly canSample: boolean;
  /** Bytes of an unfinished character. */
  readonly rest: Uint8Array;
}

export const EMPTY: SequenceContent = { tokenCount: 0, position: 0, canSample: false, rest: new Uint8Array(0) };

/** As the addon says. The position is that of the cells: right where nothing with fewer positions than rows is pending. */
export function contentOf(facts: NativeSequenceFacts): SequenceContent {
  return {
    tokenCount: facts.tokenCount + facts.pendingCount,
    position: facts.position + facts.pendingCount,
    canSample: facts.hasOutput || facts.pendingCount > 0,
    rest: EMPTY.rest,
  };
}

/** With parts behind it. What is neither tokens nor a picture counts nothing: the addon refuses it by name. */
export function withParts({ tokenCount, position }: SequenceContent, parts: readonly NativePart[]): SequenceContent {
  for (const part of parts) {
    tokenCount += part instanceof Int32Array ? part.length : part.tokenCount || 0;
    position += part instanceof Int32Array ? part.length : part.positionCount || 0;
  }
  return { tokenCount, position, canSample: true, rest: EMPTY.rest };
}

/**
 * Without parts that were refused: taken back, not put back, because others may have come since.
 *
 * @param before what was there before them
 * @param after the same with them
 */
export function withoutParts(now: SequenceContent, before: SequenceContent, after: SequenceContent): SequenceContent {
  const tokenCount = now.tokenCount - (after.tokenCount - before.tokenCount);
  const { canSample, rest } = tokenCount === before.tokenCount ? before : now;
  return { tokenCount, position: now.position - (after.position - before.position), canSample, rest };
}

/** With sampled tokens behind it. */
export function withTokens(
  { tokenCount, position }: SequenceContent,
  count: number,
  rest: Uint8Array,
): SequenceContent {
  return { tokenCount: tokenCount + count, position: position + count, canSample: true, rest };
}

/**
 * After a failure, as the addon says: what was there, and perhaps sampled tokens. The position goes on from the one
 * counted here, which knows of pictures that are pending.
 */
export function recounted({ tokenCount, position }: SequenceContent, facts: NativeSequenceFacts): SequenceContent {
  const content = contentOf(facts);
  return { ...content, position: position + content.tokenCount - tokenCount };
}
