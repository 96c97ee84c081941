/**
 * A long text in pieces that tokenise alone as they do together, so that tokenising is linear, gives the event loop its
 * turns, and can end early.
 */

/** Characters of a piece at most: some milliseconds of work. A shorter text is one piece. */
const PIECE_LENGTH = 1024;

/** Characters of what is never cut, at most: so far on both sides of a place it is looked for. */
export const LONGEST_UNCUT = PIECE_LENGTH / 4;

/**
 * Where words part, the surest first: before a single space, before any white space behind a letter or digit, before a
 * punctuation mark behind one. The pre-tokenizers of CLIP, GPT-2, Llama, Qwen, BERT and SentencePiece part there too.
 */
const SEAMS = [/(?<=\S) (?=\S)/gu, /(?<=[\p{L}\p{N}])\s/gu, /(?<=[\p{L}\p{N}])[\p{P}\p{S}]/gu];

/** What belongs to the character before it: a mark, or the second half of a pair. */
const CONTINUES = /^(?:\p{M}|\u200C|\u200D|\uFE0F|[\uDC00-\uDFFF])/u;

/**
 * A text without any seam (a run of one character, thousands of letters without a space) is cut between two characters,
 * which may part one token in two.
 *
 * @param whole matches what must not be cut, such as "<|im_end|>"; global
 * @param length characters of a piece at most
 */
export function* textPieces(text: string, whole?: RegExp, length = PIECE_LENGTH): Generator<string> {
  let start = 0;
  while (text.length - start > length) {
    const end = outside(text, seamOf(text, start, length), start, whole);
    yield text.slice(start, end);
    start = end;
  }
  yield text.slice(start);
}

/** Characters that a piece may become before it is tokens: some normal forms make 18 of one. */
const MOST_CHARACTERS = 64 * PIECE_LENGTH;

/** @throws RangeError for a text that was a piece, and has grown beyond all measure */
export function expectNotGrown(length: number): void {
  if (length <= MOST_CHARACTERS) return;
  throw new RangeError(
    `a text of ${length} characters, more than ${MOST_CHARACTERS}, that it makes of ${PIECE_LENGTH}`,
  );
}

/** The last seam of the second half of the piece that begins at `start`, else its end. */
function seamOf(text: string, start: number, length: number): number {
  const from = start + length / 2;
  const window = text.slice(from - 1, start + length + 1);
  for (const seam of SEAMS) {
    const last = [...window.matchAll(seam)].at(-1);
    if (last !== undefined && last.index > 0) return from - 1 + last.index;
  }
  let end = start + length;
  while (end > from && CONTINUES.test(text.slice(end, end + 1))) end--;
  return end;
}

/** The place itself, or the beginning of what it would cut. */
function outside(text: string, at: number, start: number, whole: RegExp | undefined): number {
  if (whole === undefined) return at;
  const from = Math.max(start, at - LONGEST_UNCUT);
  for (const { 0: found, index } of text.slice(from, at + LONGEST_UNCUT).matchAll(whole)) {
    if (from + index < at && at < from + index + found.length) return Math.max(from + index, start + 1);
  }
  return at;
}
