/**
 * How many steps a pattern may take, known before it runs. JavaScript's engine tries one way after another: one that fails
 * late, behind parts that can match in many ways, is tried in all of them, which takes longer than anybody waits. So the ways
 * are counted: never too few, at times too many.
 */
import { type PatternForm, patternForm } from './pattern-form.js';

/** Characters of a text that a pattern is shown at once. */
export const SHOWN_LENGTH = 4096;

/** Steps from each place of such a text, in lengths of it. Those of published tokenizers take up to 27. */
const MOST_ROUNDS = 64;

/** How what stands behind begins; null where it may be anything, or nothing. */
type Beginning = {
  /** Characters and classes, of which one must come first. */
  readonly firsts: readonly string[];
  /** Until it is seen that none of them comes. */
  readonly steps: number;
} | null;

/** Of a part behind which something may fail, so that all its ways are tried. */
interface Explored {
  readonly ways: number;
  readonly steps: number;
}

/** Of a part behind which nothing can fail, so that its first way is the last. */
interface Committed {
  /** Where it matches: so many, and so many more for each character that it matches. */
  readonly fixed: number;
  readonly perCharacter: number;
  /** Where it does not. */
  readonly missed: number;
}

/**
 * @param source of a RegExp with the flag u
 * @throws SyntaxError for one that may take too many steps
 */
export function expectFewSteps(source: string): void {
  const { fixed, perCharacter, missed } = committed(patternForm(source));
  const rounds = Math.max(fixed / SHOWN_LENGTH + perCharacter, missed / SHOWN_LENGTH);
  if (rounds <= MOST_ROUNDS) return;
  throw new SyntaxError(
    `a pattern ${JSON.stringify(source.length > 200 ? `${source.slice(0, 200)}...` : source)} that can match one text in so many ways that it may never end`,
  );
}

function committed(form: PatternForm): Committed {
  switch (form.kind) {
    case 'character':
    case 'place':
      return { fixed: 1, perCharacter: 0, missed: 1 };
    case 'again':
    case 'look': {
      const { steps } = explored(form, null);
      return { fixed: steps, perCharacter: 0, missed: steps };
    }
    case 'choice': {
      const ways = form.ways.map(committed);
      return {
        fixed: sum(ways.map(({ fixed, missed }) => Math.max(fixed, missed))),
        perCharacter: Math.max(...ways.map((way) => way.perCharacter)),
        missed: sum(ways.map(({ missed }) => missed)),
      };
    }
    case 'sequence':
      return committedSequence(form.parts);
    case 'repeat':
      return form.least > 0 ? committedSequence(unrolled(form)) : committedRepeat(form);
  }
}

/** Up to the last part that can fail all ways are tried; what stands behind that is entered once. */
function committedSequence(parts: readonly PatternForm[]): Committed {
  const last = parts.findLastIndex(canFail);
  const before = last < 0 ? { ways: 1, steps: 0 } : exploredSequence(parts.slice(0, last), parts.slice(last), null);
  const part = parts[last];
  const deciding = part === undefined ? { fixed: 0, perCharacter: 0, missed: 0 } : committed(part);
  const behind = parts.slice(last + 1).map(committed);
  return {
    fixed: before.steps + (before.ways - 1) * deciding.missed + deciding.fixed + sum(behind.map(({ fixed }) => fixed)),
    perCharacter: Math.max(deciding.perCharacter, ...behind.map((one) => one.perCharacter)),
    missed: before.steps + before.ways * deciding.missed,
  };
}

/** Each time takes a character at least; the last one may come to nothing. */
function committedRepeat({ body, most }: Extract<PatternForm, { kind: 'repeat' }>): Committed {
  if (isNullable(body)) {
    // Nothing, once more, is no match, and other ways of the body are tried.
    const { steps } = explored(body, null);
    return { fixed: steps + 1, perCharacter: steps + 1, missed: 0 };
  }
  const { fixed, perCharacter, missed } = committed(body);
  if (most <= 1) return { fixed: Math.max(fixed, missed) + 1, perCharacter, missed: 0 };
  return { fixed: missed + 1, perCharacter: fixed + perCharacter + 1, missed: 0 };
}

function explored(form: PatternForm, after: Beginning): Explored {
  switch (form.kind) {
    case 'character':
    case 'place':
      return { ways: 1, steps: 1 };
    case 'again':
      return { ways: 1, steps: SHOWN_LENGTH };
    case 'look':
      return exploredLook(form);
    case 'choice': {
      const ways = form.ways.map((way) => explored(way, after));
      return { ways: sum(ways.map((one) => one.ways)), steps: sum(ways.map(({ steps }) => steps)) };
    }
    case 'sequence':
      return exploredSequence(form.parts, [], after);
    case 'repeat':
      return form.least > 0 ? exploredSequence(unrolled(form), [], after) : exploredRepeat(form, after);
  }
}

/** Each once: it is asked for again by what stands before it. */
const LOOKS = new WeakMap<PatternForm, Explored>();

function exploredLook(form: Extract<PatternForm, { kind: 'look' }>): Explored {
  const known = LOOKS.get(form);
  if (known !== undefined) return known;
  const { fixed, perCharacter, missed } = committed(form.body);
  const found = { ways: 1, steps: 1 + Math.max(fixed + perCharacter * SHOWN_LENGTH, missed) };
  LOOKS.set(form, found);
  return found;
}

/** @param rest what stands between them and `after` */
function exploredSequence(parts: readonly PatternForm[], rest: readonly PatternForm[], after: Beginning): Explored {
  let [ways, steps] = [1, 0];
  for (const [at, part] of parts.entries()) {
    const one = explored(part, beginningOf([...parts.slice(at + 1), ...rest], after));
    steps += ways * one.steps;
    ways *= one.ways;
    if (steps > MOST_ROUNDS * SHOWN_LENGTH) break; // too many, whatever comes
  }
  return { ways, steps };
}

function exploredRepeat({ body, most }: Extract<PatternForm, { kind: 'repeat' }>, after: Beginning): Explored {
  const own = beginningOf([body], null);
  const times = Math.min(most, SHOWN_LENGTH);
  const { ways, steps } = explored(body, either(own, after));
  // Where it could go on, what stands behind cannot begin: of all the places to end at, one is left.
  if (ways === 1 && own !== null && after !== null && !mayShare(own.firsts, after.firsts))
    return { ways: 1, steps: times * (steps + after.steps) };
  if (ways === 1) return { ways: times + 1, steps: times * (steps + 1) };
  let [all, more] = [1, 1];
  for (let time = 0; time < times && all <= MOST_ROUNDS * SHOWN_LENGTH; time++) {
    more *= ways;
    all += more;
  }
  return { ways: all, steps: all * (steps + 1) };
}

/** Not of a part that may be nothing: then it is `after` that begins. */
function beginningOf(parts: readonly PatternForm[], after: Beginning): Beginning {
  let found: NonNullable<Beginning> = { firsts: [], steps: 0 };
  for (const part of parts) {
    const own = beginningOfOne(part);
    if (own === null) return null;
    found = both(found, own);
    if (!isNullable(part)) return found;
  }
  return either(found, after);
}

function beginningOfOne(form: PatternForm): Beginning {
  const nothing: Beginning = { firsts: [], steps: 0 };
  switch (form.kind) {
    case 'character':
      return { firsts: [form.source], steps: 1 };
    case 'place':
    case 'look':
      return { firsts: [], steps: explored(form, null).steps };
    case 'again':
      return null;
    case 'choice':
      return form.ways.reduce<Beginning>((found, way) => either(found, beginningOf([way], nothing)), nothing);
    case 'sequence':
      return beginningOf(form.parts, nothing);
    case 'repeat':
      return either({ firsts: [], steps: 1 }, beginningOf([form.body], nothing));
  }
}

const either = (one: Beginning, other: Beginning) => (one === null || other === null ? null : both(one, other));

function both(one: NonNullable<Beginning>, other: NonNullable<Beginning>): NonNullable<Beginning> {
  return { firsts: [...one.firsts, ...other.firsts], steps: one.steps + other.steps };
}

/** Of ASCII alone, as it is written. */
const IS_ASCII = /^(?!\[\^|\.$)(?:\\[nrtfv0dw]|\\[^A-Za-z0-9]|[^\\\P{ASCII}])*$/u;

/** Whether a character is in one of the first and in one of the others; where that is not easily said, it is. */
function mayShare(firsts: readonly string[], others: readonly string[]): boolean {
  if (![firsts, others].some((all) => all.every((source) => IS_ASCII.test(source)))) return true;
  const [one, other] = [firsts, others].map((all) => new RegExp(`^(?:${all.join('|')})$`, 'u'));
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  return ascii.some((character) => one?.test(character) && other?.test(character));
}

/** What must come so many times, written out. */
function unrolled({ body, least, most }: Extract<PatternForm, { kind: 'repeat' }>): PatternForm[] {
  const must = Array<PatternForm>(least).fill(body);
  return most > least ? [...must, { kind: 'repeat', body, least: 0, most: most - least }] : must;
}

/** Whether it may not match, wherever it stands. */
function canFail(form: PatternForm): boolean {
  if (form.kind === 'sequence') return form.parts.some(canFail);
  if (form.kind === 'choice') return form.ways.every(canFail);
  return form.kind !== 'repeat' || (form.least > 0 && canFail(form.body));
}

/** Whether it may match without taking a character. */
function isNullable(form: PatternForm): boolean {
  if (form.kind === 'sequence') return form.parts.every(isNullable);
  if (form.kind === 'choice') return form.ways.some(isNullable);
  if (form.kind === 'repeat') return form.least === 0 || isNullable(form.body);
  return form.kind !== 'character';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
