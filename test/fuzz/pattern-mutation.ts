/** Patterns that nobody would write, and a tokenizer.json that splits or replaces by one. A seed decides. */
import type { Random } from './random.js';

/** Known to take longer than anybody waits, where letters, words or spaces come often. */
const SLOW = [
  '(a+)+$',
  '(?:a|a)*!',
  '(\\w+\\s?)*:',
  '(?:.*,)+;',
  '\\s*\\s*\\s*\\s*\\S\\s',
  '(?=(?:\\p{L}|a)+!)',
  '(?:a?){30}a{30}',
  '(?<=!(?:a+)+)c',
];

/** Of a few letters, in which anything may stand behind or within anything. */
export function somePattern(random: Random, depth = 3): string {
  const inner = () => somePattern(random, depth - 1);
  const atom = () => random.of(['a', 'b', '[ab]', '.', '\\w', '\\s', '[^b]']);
  if (depth === 0) return atom();
  return random.of([
    () => inner() + inner(),
    () => inner() + inner() + inner(),
    () => `(?:${inner()}|${inner()})`,
    () => `(?:${inner()})${random.of(['*', '+', '?', '*?', '{2}', '{0,3}', '{2,}'])}`,
    () => `${atom()}${random.of(['*', '+', '?', '+?', '{3,40}'])}`,
    () => `(?${random.of(['=', '!', '<=', '<!'])}${inner()})`,
    () => `(?:${inner()})?$`,
  ])();
}

/** The text of a tokenizer.json with such a pattern before its own normalizer or pre-tokenizer, once or many times. */
export function withPattern(text: string, random: Random): Buffer {
  const json = JSON.parse(text) as Record<string, unknown>;
  const pattern = { Regex: random.below(4) === 0 ? random.of(SLOW) : somePattern(random) };
  const times = random.of([1, 1, 1, 3, 40]);
  const several = (step: object, own: unknown) => [...Array<unknown>(times).fill(step), ...(own ? [own] : [])];
  if (random.below(2) === 0) {
    const replace = { type: 'Replace', pattern, content: random.of(['', ' ', 'a', 'ab a', 'a'.repeat(200)]) };
    json['normalizer'] = { type: 'Sequence', normalizers: several(replace, json['normalizer']) };
  } else {
    const behavior = random.of(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']);
    const split = { type: 'Split', pattern, behavior, invert: random.below(2) === 0 };
    json['pre_tokenizer'] = { type: 'Sequence', pretokenizers: several(split, json['pre_tokenizer']) };
  }
  return Buffer.from(JSON.stringify(json));
}
