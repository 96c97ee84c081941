/** Text from outside, where a person reads it: what a terminal would obey, or nobody could see, is written out. */

/**
 * Control characters (of C1 too) other than newline and tab, those that turn the direction of writing, line ends that only
 * some programs know, and halves of characters.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\p{Bidi_Control}\p{Surrogate}]/gu;

/** The text with `\u001b` in place of an escape, and so on: as JSON writes it, so that JSON stays JSON, and the same. */
export function visible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, escaped);
}

/** The same for a name within a line: newline and tab are written out too. */
export function visibleName(text: string): string {
  return text.replace(/[\r\n\t]/g, (sign) => ({ '\n': '\\n', '\r': '\\r' })[sign] ?? '\\t').replace(UNSEEN, escaped);
}

/** In quotes, as JSON writes it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, escaped);
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
