/**
 * A text in sections, between the tokens of its own: the library tokenises each alone, so that what a conversation repeats,
 * its prompt and its turns before the last answer, need not be tokenised again with every answer.
 */
import type { TokenizerFile } from './tokenizer-file.js';
import { isNormalized } from './tokenizer-form.js';

/** Sections kept, and characters of each at most: longer ones hardly come again. */
const MOST_SECTIONS = 256;
const LONGEST = 8192;

export class KeptSections {
  readonly #own: RegExp;
  readonly #encode: (text: string) => readonly number[];
  readonly #kept = new Map<string, readonly number[]>();

  /**
   * Null where a section depends on its neighbours: a token of its own takes white space of them, the first is given a
   * space that others are not; or where there is no token to part them.
   *
   * @param encode gives the ids of a text, whole
   */
  static of(json: TokenizerFile['json'], encode: (text: string) => readonly number[]): KeptSections | null {
    const { added_tokens: added, normalizer, pre_tokenizer: words } = json;
    const takes = added.some((token) => token['lstrip'] === true || token['rstrip'] === true);
    const tellsFirst = /"prepend_scheme":"first"/.test(JSON.stringify(words ?? null));
    const parting = added
      .filter((token) => !isNormalized(token) || (normalizer ?? null) === null)
      .map(({ content }) => content);
    const own = anyOf(parting);
    return takes || tellsFirst || own === undefined ? null : new KeptSections(own, encode);
  }

  private constructor(own: RegExp, encode: (text: string) => readonly number[]) {
    this.#own = own;
    this.#encode = encode;
  }

  /** As the text whole. */
  ids(text: string): readonly number[] {
    return sectionsOf(text, this.#own).flatMap((section) => this.#idsOf(section));
  }

  /** Lets go of what it kept. */
  clear(): void {
    this.#kept.clear();
  }

  #idsOf(section: string): readonly number[] {
    if (section.length > LONGEST) return this.#encode(section);
    const known = this.#kept.get(section);
    const ids = known ?? this.#encode(section);
    this.#kept.delete(section);
    this.#kept.set(apart(section), ids);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MOST_SECTIONS && oldest !== undefined) this.#kept.delete(oldest);
    return ids;
  }
}

/** The text, cut before and behind every match. */
function sectionsOf(text: string, own: RegExp): string[] {
  const sections: string[] = [];
  let start = 0;
  for (const { 0: found, index } of text.matchAll(own)) {
    if (index > start) sections.push(text.slice(start, index));
    sections.push(found);
    start = index + found.length;
  }
  if (start < text.length) sections.push(text.slice(start));
  return sections;
}

/** Matches the longest of the texts first; undefined for none. */
export function anyOf(texts: readonly string[]): RegExp | undefined {
  const longestFirst = texts.filter((text) => text.length > 0).sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return undefined;
  return new RegExp(longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
}

/** A copy: what was cut out of a text would hold all of that text in memory. */
function apart(section: string): string {
  return Buffer.from(section, 'utf16le').toString('utf16le');
}
