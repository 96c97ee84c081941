/** What Python's filters and methods do with the letters of a text. */
import { spend, spendCharacters } from './meter.js';
import { TemplateError } from './template-error.js';
import { lettersOf } from './values.js';

/** What Python takes for white space; JavaScript's `\s` is another. */
const WHITE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const SPACE = new RegExp(WHITE);
const SPACES = new RegExp(`${WHITE}+`, 'g');

export const isSpace = (letter: string): boolean => SPACE.test(letter);

/** Python's strip, lstrip, rstrip. @param characters null: white space */
export function stripped(said: string, characters: string | null, side: 'both' | 'left' | 'right' = 'both'): string {
  const given = characters === null ? null : new Set(lettersOf(characters));
  const isTaken = (letter: string) => (given === null ? isSpace(letter) : given.has(letter));
  let [from, to] = [0, said.length];
  while (side !== 'right' && from < to && isTaken(letterAt(said, from))) from += letterAt(said, from).length;
  while (side !== 'left' && from < to && isTaken(letterBefore(said, to))) to -= letterBefore(said, to).length;
  spend((said.length - to + from) / 4);
  return said.slice(from, to);
}

const letterAt = (said: string, at: number) => String.fromCodePoint(said.codePointAt(at) ?? 0);

function letterBefore(said: string, end: number): string {
  const whole = end > 1 ? letterAt(said, end - 2) : '';
  return whole.length === 2 ? whole : said.charAt(end - 1);
}

/** Python's replace: of an empty text, at every letter. @param most below 0: all of them */
export function replaced(said: string, from: string, to: string, most: number): string {
  spendCharacters(said.length);
  const parts = from === '' ? ['', ...lettersOf(said), ''] : said.split(from);
  const times = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1);
  spend(parts.length / 8);
  spendCharacters(said.length + times * to.length);
  const changed = parts.slice(0, times + 1).join(to);
  return times === parts.length - 1 ? changed : changed + from + parts.slice(times + 1).join(from);
}

/** Python's split. @param separator null: white space @param most below 0: all of them */
export function split(said: string, separator: string | null, most: number): string[] {
  spendCharacters(said.length);
  if (separator === '') throw new TemplateError('empty separator');
  const whole = separator === null ? stripped(said, null, 'left') : said;
  const found: string[] = [];
  let from = 0;
  for (const [at, length] of gaps(whole, separator)) {
    spend(1);
    if (most >= 0 && found.length >= most) break;
    found.push(whole.slice(from, at));
    from = at + length;
  }
  return separator === null && from === whole.length ? found : [...found, whole.slice(from)];
}

function* gaps(said: string, separator: string | null): Generator<readonly [at: number, length: number]> {
  if (separator === null) for (const found of said.matchAll(SPACES)) yield [found.index, found[0].length];
  else
    for (let at = said.indexOf(separator); at >= 0; at = said.indexOf(separator, at + separator.length))
      yield [at, separator.length];
}

/** Letters whose form at the head of a word is not their upper case. */
const HAS_TITLE_CASE = /[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10ff]/;

export function capitalized(said: string): string {
  const [first = ''] = said;
  const upper = first.toUpperCase();
  if (HAS_TITLE_CASE.test(first) || upper.length !== first.length)
    throw new TemplateError(`the upper case of '${first}' at the head of a word is not known here`);
  // The end of a word changes the lower case of a Greek letter.
  return upper + said.toLowerCase().slice(first.toLowerCase().length);
}

export function titled(said: string): string {
  if (/[^\0-\x7f]/.test(said)) throw new TemplateError("'title' is known here for letters of ASCII alone");
  return said.toLowerCase().replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase());
}

/** Python's `'{} of {}'.format(a, b)`, with empty braces alone. */
export function filled(said: string, texts: readonly string[]): string {
  const parts = said.split('{}');
  if (parts.some((part) => /[{}]/.test(part)) || parts.length - 1 > texts.length)
    throw new TemplateError("'format' is known here with '{}' alone, and a value for each");
  return parts.map((part, at) => part + (at < parts.length - 1 ? (texts[at] ?? '') : '')).join('');
}

/** Where Python's splitlines ends a line. */
const LINE_ENDS = '\\r\\n|[\\n-\\r\\x1c-\\x1e\\x85\\u2028\\u2029]';
const LINE_END = new RegExp(LINE_ENDS);

/** The lines of a text, with an empty one behind a line end that closes it. */
export function linesOf(said: string): string[] {
  spend(said.length / 8);
  return `${said}\n`.split(LINE_END).slice(0, -1);
}

/** Texts one behind the other, paid for before they are. */
export function joined(texts: readonly string[], between: string): string {
  spendCharacters(texts.reduce((sum, one) => sum + one.length + between.length, 0));
  return texts.join(between);
}
