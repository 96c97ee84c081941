/**
 * The lines of the form in which a judge replies. The text comes from outside: whatever it holds, reading it takes time in
 * proportion to its length.
 */

/** Blanks within a line, and markdown. `\s` goes on to the next lines, which would be read again from each of them. */
const BEFORE = '[ \\t\\v\\f\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\ufeff*_#>]*';

/** A line of the form such as "[RESULT]: safe"; stars and blanks around are taken for markdown. Its group is the value. */
export function formLine(name: string): RegExp {
  return new RegExp(`^${BEFORE}\\[\\s*${name}\\s*\\][\\s*_]*:?[\\s*_]*(.*)$`, 'gim');
}

const REASONING = /\[\s*REASONING\s*\][\s*_]*:?\s*/i;
const RESULT = /\[\s*RESULT\s*\]/gi;

/** What stands between the mark of the reasoning and the line of the result, or the end; "" where there is none. */
export function reasoningOf(text: string): string {
  const mark = REASONING.exec(text);
  if (mark === null) return '';
  const rest = text.slice(mark.index + mark[0].length);
  for (const { index } of rest.matchAll(RESULT)) {
    const from = blanksFrom(rest, index);
    const newline = rest.slice(from, index).indexOf('\n');
    if (newline >= 0) return rest.slice(0, from + newline);
  }
  return rest;
}

/** Where the blanks and markdown begin that stand before a place. */
function blanksFrom(text: string, place: number): number {
  let from = place;
  while (from > 0 && /[\s*_#>]/.test(text.charAt(from - 1))) from--;
  return from;
}
