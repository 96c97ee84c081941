/** What a sequence holds, counted here so that a caller need not wait for the addon's thread to know it. */
import type { NativePart, NativeSequenceFacts } from '../native/context-types.js';
import { apartBehind, type Content, chained, positionBehind } from './content-chain.js';

export interface SequenceContent {
  /** Tokens in the KV cache and pending; a picture counts its rows. */
  readonly tokenCount: number;
  /** Where the next token stands for the rotary embedding. */
  readonly position: number;
  /** Whether something is there to sample from, once what is pending is decoded. */
  readonly canSample: boolean;
  /** Bytes of an unfinished character. */
  readonly rest: Uint8Array;
  /** Which tokens and pictures these are. */
  readonly chain: Content;
  /** Tokens of them that are cells for certain; what stands behind may be pending. */
  readonly cellCount: number;
}

export const EMPTY: SequenceContent = {
  tokenCount: 0,
  position: 0,
  canSample: false,
  rest: new Uint8Array(0),
  chain: null,
  cellCount: 0,
};

/**
 * As the addon says.
 *
 * @param chain which tokens and pictures these are; where nobody knows, the position is right unless a picture with fewer
 * positions than rows is pending
 */
export function contentOf(facts: NativeSequenceFacts, chain: Content): SequenceContent {
  return {
    tokenCount: facts.tokenCount + facts.pendingCount,
    position: chain === 'unknown' ? facts.position + facts.pendingCount : positionBehind(chain),
    canSample: facts.hasOutput || facts.pendingCount > 0,
    rest: EMPTY.rest,
    chain,
    cellCount: facts.tokenCount,
  };
}

/** With parts behind it. What is neither tokens nor a picture counts nothing: the addon refuses it by name. */
export function withParts(
  { tokenCount, position, chain, cellCount }: SequenceContent,
  parts: readonly NativePart[],
): SequenceContent {
  for (const part of parts) {
    tokenCount += part instanceof Int32Array ? part.length : part.tokenCount || 0;
    position += part instanceof Int32Array ? part.length : part.positionCount || 0;
    chain = chained(chain, part);
  }
  return { tokenCount, position, canSample: true, rest: EMPTY.rest, chain, cellCount };
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
  const chain = now.chain === after.chain ? before.chain : 'unknown';
  const position = now.position - (after.position - before.position);
  return { tokenCount, position, canSample, rest, chain, cellCount: Math.min(now.cellCount, tokenCount) };
}

/** With sampled tokens behind it. */
export function withTokens(
  { tokenCount, position, chain }: SequenceContent,
  tokens: readonly number[],
  rest: Uint8Array,
): SequenceContent {
  const count = tokens.length;
  return {
    tokenCount: tokenCount + count,
    position: position + count,
    canSample: true,
    rest,
    chain: chained(chain, Int32Array.from(tokens)),
    // The last one waits, unless another ended the text behind it.
    cellCount: tokenCount + Math.max(0, count - 1),
  };
}

/**
 * After a failure, as the addon says: what was there, and perhaps sampled tokens. The position goes on from the one
 * counted here, which knows of pictures that are pending.
 */
export function recounted(
  { tokenCount, position, chain }: SequenceContent,
  facts: NativeSequenceFacts,
): SequenceContent {
  const isAsCounted = facts.tokenCount + facts.pendingCount === tokenCount;
  const content = contentOf(facts, isAsCounted ? chain : 'unknown');
  return { ...content, position: position + content.tokenCount - tokenCount };
}

/** Once all of it was decoded. */
export function allDecoded(content: SequenceContent): SequenceContent {
  return { ...content, cellCount: content.tokenCount };
}

/** Of a fork: what may still be pending will be computed by each of them, in cells of its own. */
export function ofFork(content: SequenceContent): SequenceContent {
  return { ...content, chain: apartBehind(content.chain, content.cellCount) };
}
