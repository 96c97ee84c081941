/** What a sequence holds, counted here so that a caller need not wait for the addon's thread to know it. */
import type { NativePart, NativeSequenceFacts } from '../native/binding-types.js';
import { type Content, chained } from './content-chain.js';

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
}

export const EMPTY: SequenceContent = {
  tokenCount: 0,
  position: 0,
  canSample: false,
  rest: new Uint8Array(0),
  chain: null,
};

/**
 * As the addon says. The position is that of the cells: right where nothing with fewer positions than rows is pending.
 *
 * @param chain which tokens and pictures these are
 */
export function contentOf(facts: NativeSequenceFacts, chain: Content): SequenceContent {
  return {
    tokenCount: facts.tokenCount + facts.pendingCount,
    position: facts.position + facts.pendingCount,
    canSample: facts.hasOutput || facts.pendingCount > 0,
    rest: EMPTY.rest,
    chain,
  };
}

/** With parts behind it. What is neither tokens nor a picture counts nothing: the addon refuses it by name. */
export function withParts(
  { tokenCount, position, chain }: SequenceContent,
  parts: readonly NativePart[],
): SequenceContent {
  for (const part of parts) {
    tokenCount += part instanceof Int32Array ? part.length : part.tokenCount || 0;
    position += part instanceof Int32Array ? part.length : part.positionCount || 0;
    chain = chained(chain, part);
  }
  return { tokenCount, position, canSample: true, rest: EMPTY.rest, chain };
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
  return { tokenCount, position: now.position - (after.position - before.position), canSample, rest, chain };
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
