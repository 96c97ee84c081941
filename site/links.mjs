/** Links of Markdown, and what headings are called in them, as GitHub does it: the pages are read there too. */

/** Code, in which "#" begins a comment and brackets are no links. */
const CODE = /^([ \t]*)(```|~~~)[^\n]*\n[\s\S]*?^\1\2[ \t]*$|`[^`\n]*`/gm;
const LINK = /(\]\()([^)\s]+)(\))|(<(?:a href|img src)=")([^"]+)(")/g;

/**
 * The text with every link and picture changed by `change`, code left as it is.
 *
 * @param {string} text
 * @param {(target: string) => string} change
 */
export function withLinks(text, change) {
  const changed = (/** @type {string} */ part) =>
    part.replace(LINK, (_all, open, target, close, openTag, tagTarget, closeTag) =>
      open === undefined ? `${openTag}${change(tagTarget)}${closeTag}` : `${open}${change(target)}${close}`,
    );
  // A link's text may hold code: what lies between two pieces of code is not looked at alone.
  /** @type {string[]} */
  const kept = [];
  const bare = text.replace(CODE, (code) => `\ue000${kept.push(code) - 1}\ue000`);
  return changed(bare).replace(/\ue000(\d+)\ue000/g, (_all, at) => kept[Number(at)] ?? '');
}

/** @param {string} heading its text, without markup */
export const slug = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
