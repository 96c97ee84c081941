/** How many columns of a terminal a text takes. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const PIECE = /\x1b\[[\d;]*m|[\s\S]/gu;
const NOTHING = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]/u;
/** East Asian letters and signs of full width, and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

/** Colours take none, letters of full width two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const [piece] of text.matchAll(PIECE)) width += widthOfPiece(piece);
  return width;
}

/** The text in front of the column `width`, and the rest; neither a letter nor a colour is cut in two. */
export function cutAt(text: string, width: number): readonly [start: string, rest: string] {
  let taken = 0;
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    taken += widthOfPiece(piece);
    if (taken > width) return [text.slice(0, index), text.slice(index)];
  }
  return [text, ''];
}

/** The text with spaces behind it, `width` columns in all. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** The same with the spaces before it. */
export function paddedStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

function widthOfPiece(piece: string): number {
  if (piece.startsWith('\x1b[') || NOTHING.test(piece)) return 0;
  return WIDE.test(piece) ? 2 : 1;
}
