/**
 * A template cut at its tags, as Jinja cuts it: white space around tags is gone (`trim_blocks`, `lstrip_blocks`, `-`, `+`),
 * and so are comments and what marks `{% raw %}`. Each place is looked at once, however long the template is.
 */
import { isSpace, stripped } from './letters.js';
import { TemplateError } from './template-error.js';
import { type Token, tagTokens } from './tokens.js';

/** What stands behind a tag, up to the next. */
interface Place {
  readonly at: number;
  /** Whether a line begins there. */
  readonly isLineStart: boolean;
}

/** @throws TemplateError for a tag, a comment or a raw block without an end, and for what `tagTokens` refuses */
export function templateTokens(source: string): Token[] {
  const lines = source.replace(/\r\n?/g, '\n');
  const whole = lines.endsWith('\n') ? lines.slice(0, -1) : lines;
  const tokens: Token[] = [];
  const write = (said: string) => {
    if (said !== '') tokens.push({ type: 'Text', value: said });
  };
  let place: Place = { at: 0, isLineStart: true };
  for (let at = nextTag(whole, 0); at >= 0; at = nextTag(whole, place.at)) {
    const kind = whole.charAt(at + 1);
    const sign = signOf(whole, at + 2);
    write(before(whole, place, at, kind === '{' && sign === '' ? '+' : sign));
    const inner = at + 2 + sign.length;
    const raw = kind === '%' ? rawBegin(whole, inner) : null;
    if (raw !== null) {
      const end = rawEnd(whole, raw.at);
      write(before(whole, raw, end.at, end.sign));
      place = end.behind;
    } else if (kind === '#') {
      place = behindComment(whole, inner);
    } else {
      const found = tagTokens(whole, inner, kind === '{' ? 'expression' : 'statement');
      for (const token of found.tokens) tokens.push(token);
      place = kind === '{' ? behind(whole, found.end, '}}', false) : behind(whole, found.end, '%}', true);
    }
  }
  write(whole.slice(place.at));
  return tokens;
}

function nextTag(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1))
    if ('{%#'.includes(source.charAt(at + 1) || ' ')) return at;
  return -1;
}

const signOf = (source: string, at: number) => ('+-'.includes(source.charAt(at) || ' ') ? source.charAt(at) : '');

/** The text in front of a tag: without white space at its end where `-` says so, or where it stands alone in its line. */
function before(source: string, place: Place, end: number, sign: string): string {
  const said = source.slice(place.at, end);
  if (sign === '-') return stripped(said, null, 'right');
  if (sign === '+') return said;
  const lineStart = said.lastIndexOf('\n') + 1;
  if (lineStart === 0 && !place.isLineStart) return said;
  return stripped(said.slice(lineStart), null) === '' ? said.slice(0, lineStart) : said;
}

/** @param at where the tag's end mark begins, with its sign @param trims whether a line end behind it is a part of it */
function behind(source: string, at: number, mark: string, trims: boolean): Place {
  const sign = signOf(source, at);
  let end = at + sign.length + mark.length;
  if (sign === '-') while (end < source.length && isSpace(source.charAt(end))) end++;
  else if (trims && sign === '' && source.charAt(end) === '\n') end++;
  return { at: end, isLineStart: source.charAt(end - 1) === '\n' };
}

function behindComment(source: string, from: number): Place {
  const at = source.indexOf('#}', from);
  if (at < 0) throw new TemplateError("a comment without its end, '#}'");
  const sign = at > from ? signOf(source, at - 1) : '';
  return behind(source, at - sign.length, '#}', true);
}

/** Where the content of `{% raw %}` begins; null for another tag. */
function rawBegin(source: string, from: number): Place | null {
  const at = word(source, from, 'raw');
  if (at === null || source.startsWith('+', at)) return null;
  return source.startsWith('%}', at + signOf(source, at).length) ? behind(source, at, '%}', false) : null;
}

/** Where white space behind a word ends; null where another word stands. */
function word(source: string, from: number, expected: string): number | null {
  const start = skipped(source, from);
  return source.startsWith(expected, start) ? skipped(source, start + expected.length) : null;
}

function skipped(source: string, from: number): number {
  let at = from;
  while (at < source.length && isSpace(source.charAt(at))) at++;
  return at;
}

/** The end of a raw block. @throws TemplateError where there is none */
function rawEnd(source: string, from: number): { at: number; sign: string; behind: Place } {
  for (let at = source.indexOf('{%', from); at >= 0; at = source.indexOf('{%', at + 2)) {
    const sign = signOf(source, at + 2);
    const end = word(source, at + 2 + sign.length, 'endraw');
    if (end !== null && source.startsWith('%}', end + signOf(source, end).length))
      return { at, sign, behind: behind(source, end, '%}', true) };
  }
  throw new TemplateError("a block 'raw' without its end, '{% endraw %}'");
}
