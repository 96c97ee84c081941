/**
 * Texts of models and users made fit to be read: nothing in them may become markup, reorder the line, or hide. A character
 * that would is replaced by its number in brackets, so that it is seen.
 */

/** Characters that are controls, reorder text, or have no width; tab and line feed are none of them. */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be shown
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

/** The text with its hidden characters as ⟨U+202E⟩. Carriage returns before line feeds are dropped. */
export function visible(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(HIDDEN, (found) => `⟨U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
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
