/** A pattern as JavaScript's engine takes it with the flag u, in parts: what may come, in which order, how often. */

export type PatternForm =
  /** One character: itself, an escape or a class, as it is written. */
  | { readonly kind: 'character'; readonly source: string }
  /** The beginning or the end of a text or word. */
  | { readonly kind: 'place' }
  /** What stands before or behind must be, or not be, this. It is never tried another way. */
  | { readonly kind: 'look'; readonly body: PatternForm }
  /** What a group matched, once more. */
  | { readonly kind: 'again' }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternForm[] }
  | { readonly kind: 'choice'; readonly ways: readonly PatternForm[] }
  | { readonly kind: 'repeat'; readonly body: PatternForm; readonly least: number; readonly most: number };

/** Groups within groups. */
const DEEPEST = 64;

/** Characters of a pattern, and of its parts with what must come several times written out; published ones have some hundred. */
const LONGEST = 4096;

const WORD = new RegExp(
  [
    String.raw`(?<group>\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?)`,
    String.raw`(?<class>\[(?:\\.|[^\]\\])*\])`,
    String.raw`(?<place>[\^$]|\\[bB])`,
    String.raw`(?<again>\\k<[^>]*>|\\[1-9]\d*)`,
    String.raw`(?<escape>\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u.{4}|\\x..|\\c.|\\.)`,
    String.raw`(?<quantifier>[*+?]|\{\d+(?:,\d*)?\})`,
    '(?<mark>[|)])',
    '(?<plain>.)',
  ].join('|'),
  'suy',
);

/**
 * @param source of a RegExp with the flag u
 * @throws SyntaxError for one that is too long or too deep, or has a group of another kind
 */
export function patternForm(source: string): PatternForm {
  if (source.length > LONGEST)
    throw new SyntaxError(`a pattern of ${source.length} characters: at most ${LONGEST} are read here`);
  const form = new Reading(source).choice(false);
  const size = sizeOf(form);
  if (size > LONGEST)
    throw new SyntaxError(`a pattern that asks for ${size} characters: at most ${LONGEST} are read here`);
  return form;
}

class Reading {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Up to the end of the group, or of the pattern. @param isBackward whether it is read from its end, as behind (?<= */
  choice(isBackward: boolean): PatternForm {
    const ways: PatternForm[][] = [[]];
    for (let word = this.#word(); word !== undefined; word = this.#word()) {
      const parts = ways.at(-1) ?? [];
      if (word['mark'] === ')') break;
      if (word['mark'] === '|') ways.push([]);
      else if (word['quantifier'] !== undefined) parts.push(this.#repeated(word['quantifier'], parts.pop()));
      else parts.push(this.#part(word, isBackward));
    }
    const forms = ways.map((parts): PatternForm => {
      const ordered = isBackward ? parts.reverse() : parts;
      return ordered.length === 1 && ordered[0] !== undefined ? ordered[0] : { kind: 'sequence', parts: ordered };
    });
    return forms.length === 1 && forms[0] !== undefined ? forms[0] : { kind: 'choice', ways: forms };
  }

  #part(word: Readonly<Record<string, string | undefined>>, isBackward: boolean): PatternForm {
    const { group, place, again } = word;
    if (place !== undefined) return { kind: 'place' };
    if (again !== undefined) return { kind: 'again' };
    if (group === undefined)
      return { kind: 'character', source: word['class'] ?? word['escape'] ?? word['plain'] ?? '' };
    this.#expectKnown(group);
    if (++this.#depth > DEEPEST)
      throw new SyntaxError(`a pattern with groups within groups, more than ${DEEPEST} of them`);
    const isLook = /[=!]$/.test(group);
    const body = this.choice(isLook ? group.startsWith('(?<') : isBackward);
    this.#depth--;
    return isLook ? { kind: 'look', body } : body;
  }

  /** JavaScript's engine learns new ones: one that is misread here would be taken for what it is not. */
  #expectKnown(group: string): void {
    if (group !== '(' || this.#source[this.#at] !== '?') return;
    const [shown] = /^[^:>)]{0,8}[:>]?/.exec(this.#source.slice(this.#at)) ?? [''];
    throw new SyntaxError(
      `a pattern with the group "(${shown}", which is not read here: expected (, (?:, (?i:, (?>, (?<name>, (?=, (?!, (?<= or (?<!`,
    );
  }

  #repeated(quantifier: string, body: PatternForm = { kind: 'sequence', parts: [] }): PatternForm {
    if (this.#source[this.#at] === '?') this.#at++; // the fewest first: the same ways in another order
    const [, least = '', most = least] = /^\{(\d+)(?:,(\d*))?\}$/.exec(quantifier) ?? [];
    if (least !== '')
      return {
        kind: 'repeat',
        body,
        least: Number(least),
        most: most === '' ? Number.POSITIVE_INFINITY : Number(most),
      };
    const [from, to] = quantifier === '?' ? [0, 1] : [quantifier === '+' ? 1 : 0, Number.POSITIVE_INFINITY];
    return { kind: 'repeat', body, least: from, most: to };
  }

  #word(): Readonly<Record<string, string | undefined>> | undefined {
    WORD.lastIndex = this.#at;
    const found = WORD.exec(this.#source);
    this.#at += found?.[0].length ?? 0;
    return found?.groups;
  }
}

function sizeOf(form: PatternForm): number {
  const sum = (forms: readonly PatternForm[]) => forms.reduce((size, one) => size + sizeOf(one), 1);
  if (form.kind === 'sequence') return sum(form.parts);
  if (form.kind === 'choice') return sum(form.ways);
  if (form.kind === 'look') return 1 + sizeOf(form.body);
  if (form.kind === 'repeat') return 1 + (form.least + (form.most > form.least ? 1 : 0)) * sizeOf(form.body);
  return 1;
}
