/**
 * What stands in a sequence, written down as it grows: a chain of pieces, the last one in hand. Forks share the pieces of
 * their parent as they share its cells, so that two chains tell which cells two sequences have in common.
 */
import type { NativePart } from '../native/context-types.js';
import type { NativeImage } from '../native/image-types.js';

/** One piece, with all that stands before it. */
export interface ContentChain {
  readonly before: ContentChain | null;
  readonly part: NativePart;
  /** Tokens up to the end of this piece; a picture counts its rows. */
  readonly tokenCount: number;
  /** Equal where the cells are the same: of a piece that was cut, the whole piece's. */
  readonly cells: object;
}

/** Nothing, or what nobody wrote down: bytes that were restored, or the rest of a failure. */
export type Content = ContentChain | null | 'unknown';

/** @param part tokens that nobody else changes */
export function chained(before: Content, part: NativePart): Content {
  if (before === 'unknown') return 'unknown';
  const count = part instanceof Int32Array ? part.length : part.tokenCount;
  if (count === 0) return before;
  return { before, part, tokenCount: (before?.tokenCount ?? 0) + count, cells: {} };
}

/** The first `tokenCount` tokens; unknown where they would end inside a picture. */
export function cutChain(content: Content, tokenCount: number): Content {
  if (content === 'unknown') return tokenCount === 0 ? null : 'unknown';
  let chain = content;
  while (chain !== null && (chain.before?.tokenCount ?? 0) >= tokenCount) chain = chain.before;
  if (chain === null || chain.tokenCount <= tokenCount) return chain;
  if (!(chain.part instanceof Int32Array)) return 'unknown';
  const part = chain.part.subarray(0, tokenCount - (chain.before?.tokenCount ?? 0));
  return { ...chain, part, tokenCount };
}

/** Where the next token stands behind it: a picture may take fewer positions than tokens. */
export function positionBehind(chain: ContentChain | null): number {
  let position = 0;
  for (let piece = chain; piece !== null; piece = piece.before)
    position += piece.part instanceof Int32Array ? piece.part.length : piece.part.positionCount;
  return position;
}

/** The same, with what stands behind the first `tokenCount` tokens in cells of its own. */
export function apartBehind(content: Content, tokenCount: number): Content {
  if (content === 'unknown' || content === null || content.tokenCount <= tokenCount) return content;
  const start = content.before?.tokenCount ?? 0;
  const before = apartBehind(content.before, tokenCount);
  const isParted = start < tokenCount && content.part instanceof Int32Array;
  if (!isParted) return { ...content, before: before as ContentChain | null, cells: {} };
  const shared = cutChain(content, tokenCount) as ContentChain;
  const behind = (content.part as Int32Array).subarray(tokenCount - start);
  return { before: shared, part: behind, tokenCount: content.tokenCount, cells: {} };
}

/** Its parts, first to last. */
export function partsOf(chain: ContentChain): NativePart[] {
  const parts: NativePart[] = [];
  for (let piece: ContentChain | null = chain; piece !== null; piece = piece.before) parts.push(piece.part);
  return parts.reverse();
}

/** A prompt in one form, for {@link sharedTokenCount}: a token or a picture each, in order. */
export type Flat = readonly (number | NativeImage)[];

export function flatOf(parts: Iterable<NativePart>): Flat {
  const flat: (number | NativeImage)[] = [];
  for (const part of parts) {
    if (part instanceof Int32Array) for (const token of part) flat.push(token);
    else flat.push(part);
  }
  return flat;
}

/** Tokens of one entry: a picture counts its rows. */
const rowsOf = (entry: number | NativeImage | undefined) => (typeof entry === 'object' ? entry.tokenCount : 1);

/** Tokens that both begin with. Pictures are alike where they are the same encoded picture. */
export function sharedTokenCount(one: Flat, other: Flat): number {
  let count = 0;
  for (let at = 0; at < one.length && at < other.length && one[at] === other[at]; at++) count += rowsOf(one[at]);
  return count;
}

/** A picture counts its rows. */
export function tokenCountOf(flat: Flat): number {
  return flat.reduce<number>((sum, entry) => sum + rowsOf(entry), 0);
}

/** The most tokens up to `limit` that end between pictures. */
export function wholeTokenCount(flat: Flat, limit: number): number {
  let count = 0;
  for (let at = 0; at < flat.length && count + rowsOf(flat[at]) <= limit; at++) count += rowsOf(flat[at]);
  return count;
}

/** What a sequence holds, or will. */
export interface Beginning {
  readonly flat: Flat;
  readonly tokenCount: number;
  /** Whether what stands behind its last token is there too, so that nothing need be computed to go on. */
  readonly hasOutput: boolean;
}

/**
 * Tokens of it that a prompt can start from; something must be left to compute, unless its output is there.
 *
 * @param forksAnywhere whether a fork can be cut to any number of tokens
 */
export function usableTokenCount(there: Beginning, prompt: Flat, forksAnywhere: boolean): number {
  const shared = sharedTokenCount(there.flat, prompt);
  if (shared === there.tokenCount && there.hasOutput) return shared;
  const withoutLast = tokenCountOf(prompt) - rowsOf(prompt.at(-1));
  const count = Math.min(shared, withoutLast);
  return count === there.tokenCount || forksAnywhere ? count : 0;
}

/** The parts behind the first `tokenCount` tokens, which end between pictures. */
export function partsBehind(parts: readonly NativePart[], tokenCount: number): NativePart[] {
  const behind: NativePart[] = [];
  let at = 0;
  for (const part of parts) {
    const count = part instanceof Int32Array ? part.length : part.tokenCount;
    const skipped = Math.min(count, Math.max(0, tokenCount - at));
    at += count;
    if (skipped === count) continue;
    behind.push(skipped > 0 && part instanceof Int32Array ? part.subarray(skipped) : part);
  }
  return behind;
}

/** How many different cells these hold together, apart from those of `others`. */
export function cellsApart(chains: Iterable<ContentChain | null>, others: Iterable<Content>): number {
  const theirs = lengths(others);
  let count = 0;
  for (const [cells, length] of lengths(chains)) count += Math.max(0, length - (theirs.get(cells) ?? 0));
  return count;
}

/** Tokens held of each piece's cells: the most that any of the chains has of them. */
function lengths(chains: Iterable<Content>): Map<object, number> {
  const held = new Map<object, number>();
  for (const content of chains) {
    if (content === 'unknown') continue;
    for (let piece = content; piece !== null; piece = piece.before) {
      const length = piece.tokenCount - (piece.before?.tokenCount ?? 0);
      const known = held.get(piece.cells) ?? 0;
      if (known >= length && known > 0) break; // and so all that stands before it
      held.set(piece.cells, length);
    }
  }
  return held;
}
