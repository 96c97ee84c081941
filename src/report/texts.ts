/**
 * Texts of models and users made fit to be read: nothing in them may become markup, reorder the line, or hide. A character
 * that would is replaced by its number in brackets, so that it is seen.
 */

/** Characters that are controls, reorder text, or have no width; tab and line feed are none of them. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be shown
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

/** Scripts whose spelling needs joiners (U+200C, U+200D) between letters, and emoji that one makes of several. */
const JOINED_LETTERS =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}]/u;
const JOINED_EMOJI = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u;

/**
 * The text with its hidden characters as ⟨U+202E⟩; a joiner where spelling needs it is none. Carriage returns before line
 * feeds are dropped.
 */
export function visible(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(HIDDEN, (found, at: number, whole: string) => {
    if (isJoiner(found) && isSpelling(found, whole.slice(Math.max(0, at - 2), at), whole.slice(at + 1, at + 3)))
      return found;
    return `⟨U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

const isJoiner = (found: string) => found === '\u200c' || found === '\u200d';

/** @param before the two code units in front, @param behind those behind */
function isSpelling(joiner: string, before: string, behind: string): boolean {
  const [last = '', next = ''] = [[...before].at(-1), [...behind][0]];
  if (JOINED_LETTERS.test(last) && JOINED_LETTERS.test(next)) return true;
  return joiner === '\u200d' && JOINED_EMOJI.test(last) && JOINED_EMOJI.test(next);
}

/** At most `limit` characters, never cutting one in two. */
export function shortened(text: string, limit: number): { readonly text: string; readonly cut: number } {
  if (text.length <= limit) return { text, cut: 0 };
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return { text: text.slice(0, end), cut: text.length - end };
}

/** One line, `limit` characters at most, an ellipsis where it was cut. */
export function label(text: string, limit: number): string {
  const line = visible(text.replace(/\s+/g, ' ').trim());
  const { text: start, cut } = shortened(line, limit - 1);
  return line.length <= limit || cut === 0 ? line : `${start.trimEnd()}…`;
}

/** The text with its first letter large. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Labels that stay apart: those that are alike after shortening are numbered. */
export function distinctLabels(texts: readonly string[], limit: number): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    const short = label(text, limit) || '(empty)';
    let name = short;
    for (let i = 2; taken.has(name); i++) name = `${short} (${i})`;
    taken.add(name);
    return name;
  });
}

/** For HTML text and attribute values. */
export function escapeHtml(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** For one line of Markdown, a table's cell included: every character that could be markup there is escaped. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[\\`*[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&')
    .replace(/^([-+>#=])/, '\\$1')
    .replace(/^(\d+)([.)])(\s|$)/, '$1\\$2$3')
    .replace(/\b(https?|ftp|mailto):/gi, '$1&#58;')
    .replace(/\bwww\./gi, 'www&#46;');
}

/** A fenced block of Markdown that the text cannot end. */
export function fenced(text: string): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${visible(text)}\n${fence}`;
}
