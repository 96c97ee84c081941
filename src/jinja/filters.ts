/** Filters of Jinja that chat templates use. Any other is refused by its name. */
import { JSON_PARAMETERS, toJson } from './json.js';
import { capitalized, joined, linesOf, replaced, stripped } from './letters.js';
import { attributeOf } from './members.js';
import { spend, spendCharacters } from './meter.js';
import { compared } from './operators.js';
import { bound, countIn, flag, type Given, textIn } from './parameters.js';
import { TemplateError } from './template-error.js';
import { passes } from './tests.js';
import { str } from './text.js';
import {
  type Arguments,
  entriesOf,
  generator,
  integer,
  isDict,
  isMarkup,
  isNone,
  isNumber,
  isText,
  isTrue,
  isUndefined,
  iterated,
  lettersOf,
  list,
  markup,
  nothing,
  numberOf,
  text,
  textOf,
  tuple,
  typeOf,
  type Value,
} from './values.js';

interface Filter {
  readonly takes: readonly string[];
  makes(value: Value, given: Given): Value;
}

/** Of any value its text. @throws TemplateError behind `safe`, which Python would keep */
function said(value: Value): string {
  if (isMarkup(value)) throw new TemplateError("a filter behind the filter 'safe' is not known here");
  return str(value);
}

const ofText = (change: (said: string) => string): Filter => ({
  takes: [],
  makes: (value) => {
    const whole = said(value);
    spendCharacters(whole.length);
    return text(change(whole));
  },
});

/** Texts without regard to upper and lower case, unless that is asked for. */
const keyed = (value: Value, isCaseSensitive: boolean) =>
  isText(value) && !isCaseSensitive ? text(textOf(value).toLowerCase()) : value;

const length: Filter = {
  takes: [],
  makes: (value) => {
    if (isText(value)) return integer(lettersOf(textOf(value)).length);
    if (value.type === 'GeneratorValue')
      throw new TemplateError("object of type 'generator' has no len(): put '|list' before");
    return integer(iterated(value).length);
  },
};

const sort: Filter = {
  takes: ['reverse', 'case_sensitive', 'attribute'],
  makes: (value, [reverse, isCaseSensitive, attribute]) => {
    const keyOf = (item: Value) =>
      keyed(attribute === undefined || isNone(attribute) ? item : attributeOf(item, attribute), flag(isCaseSensitive));
    const pairs = iterated(value).map((item) => [keyOf(item), item] as const);
    return list(ordered(pairs, flag(reverse)).map(([, item]) => item));
  },
};

const dictsort: Filter = {
  takes: ['case_sensitive', 'by', 'reverse'],
  makes: (value, [isCaseSensitive, by, reverse]) => {
    if (!isDict(value)) throw new TemplateError(`the filter 'dictsort' of a ${typeOf(value)}`);
    const order = by === undefined ? 'key' : textIn(by);
    if (order !== 'key' && order !== 'value') throw new TemplateError("dictsort: by is 'key' or 'value'");
    const pairs = [...entriesOf(value)].map(([key, field]) => {
      const item = tuple([text(key), field]);
      return [keyed(order === 'key' ? text(key) : field, flag(isCaseSensitive)), item] as const;
    });
    return list(ordered(pairs, flag(reverse)).map(([, item]) => item));
  },
};

const ordered = (pairs: (readonly [key: Value, item: Value])[], isReversed: boolean) =>
  pairs.sort(([a], [b]) => (isReversed ? compared(b, a) : compared(a, b)));

/** What `map` and the filters that choose run over: Jinja does not look at what is false, such as None. */
const soughtIn = (value: Value) => (isTrue(value) ? iterated(value) : []);

/** `select`, `reject`: by a test of an item; `selectattr`, `rejectattr`: of an attribute. */
function chosen(isKept: boolean, hasAttribute: boolean): Filter {
  return {
    takes: hasAttribute ? ['', '', ''] : ['', ''],
    makes: (value, given) => {
      const [attribute, name, other] = hasAttribute ? given : [undefined, ...given];
      if (hasAttribute && attribute === undefined) throw new TemplateError('an attribute is needed');
      const items = soughtIn(value).filter((item) => {
        spend(1);
        const asked = attribute === undefined ? item : attributeOf(item, attribute);
        return (name === undefined ? isTrue(asked) : passes(textIn(name), asked, other)) === isKept;
      });
      return generator(items);
    },
  };
}

/** A filter by its name, with what it takes, or `attribute=` and `default=`. */
function map(value: Value, args: readonly Value[], named: Arguments): Value {
  const [name, ...rest] = args;
  if (name !== undefined) return generator(soughtIn(value).map((item) => filtered(textIn(name), item, rest, named)));
  const [attribute, otherwise] = bound("the filter 'map'", ['attribute', 'default'], [], named);
  if (attribute === undefined) throw new TemplateError('map takes a filter, or attribute=');
  return generator(soughtIn(value).map((item) => attributeOf(item, attribute, otherwise)));
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const int: Filter = {
  takes: ['default'],
  makes: (value, [otherwise = integer(0)]) => {
    if (isUndefined(value) || isMarkup(value)) throw new TemplateError(`the filter 'int' of ${typeOf(value)}`);
    const word = isText(value) ? stripped(textOf(value), null) : '';
    spendCharacters(word.length);
    // Python reads digits of all scripts, and '_' between them.
    if (/[\p{Nd}]/u.test(word) && /[_]|[^\0-\x7f]/.test(word))
      throw new TemplateError("the filter 'int' is known here for digits 0 to 9 alone");
    const found = isNumber(value) ? numberOf(value) : DECIMAL.test(word) ? Number(word) : Number.NaN;
    if (!Number.isFinite(found)) return otherwise;
    if (Math.abs(found) > Number.MAX_SAFE_INTEGER)
      throw new TemplateError('an integer that is not counted exactly here');
    return integer(Math.trunc(found));
  },
};

const indent: Filter = {
  takes: ['width', 'first', 'blank'],
  makes: (value, [width, first, blank]) => {
    const count = width !== undefined && isText(width) ? 0 : Math.max(0, countIn(width, 4));
    spendCharacters(count);
    const margin = width !== undefined && isText(width) ? textOf(width) : ' '.repeat(count);
    const lines = linesOf(textIn(value));
    spendCharacters(lines.length * margin.length);
    const indented = lines.map((line, at) => {
      const isPlain = at === 0 ? !flag(first) : line === '' && !flag(blank);
      return isPlain ? line : margin + line;
    });
    return text(joined(indented, '\n'));
  },
};

const join: Filter = {
  takes: ['d', 'attribute'],
  makes: (value, [between, attribute]) => {
    const items = iterated(value);
    const parts =
      attribute === undefined || isNone(attribute) ? items : items.map((item) => attributeOf(item, attribute));
    return text(joined(parts.map(said), between === undefined ? '' : said(between)));
  },
};

const otherwise: Filter = {
  takes: ['default_value', 'boolean'],
  makes: (value, [instead = text(''), boolean]) =>
    isUndefined(value) || (flag(boolean) && !isTrue(value)) ? instead : value,
};

const FILTERS: Readonly<Record<string, Filter>> = {
  capitalize: ofText(capitalized),
  default: otherwise,
  dictsort,
  first: { takes: [], makes: (value) => iterated(value)[0] ?? nothing() },
  indent,
  int,
  items: {
    takes: [],
    makes: (value) => {
      if (!isDict(value) && !isUndefined(value)) throw new TemplateError(`the filter 'items' of a ${typeOf(value)}`);
      return generator(isDict(value) ? [...entriesOf(value)].map(([key, field]) => tuple([text(key), field])) : []);
    },
  },
  join,
  last: {
    takes: [],
    makes: (value) => {
      if (value.type === 'GeneratorValue')
        throw new TemplateError("'generator' object is not reversible: put '|list' before");
      return iterated(value).at(-1) ?? nothing();
    },
  },
  length,
  list: { takes: [], makes: (value) => list(iterated(value)) },
  lower: ofText((whole) => whole.toLowerCase()),
  reject: chosen(false, false),
  rejectattr: chosen(false, true),
  replace: {
    takes: ['old', 'new', 'count'],
    makes: (value, [from, to, most]) => {
      if (from === undefined || to === undefined) throw new TemplateError("the filter 'replace' takes two texts");
      return text(replaced(said(value), said(from), said(to), countIn(most, -1)));
    },
  },
  safe: { takes: [], makes: (value) => markup(str(value)) },
  select: chosen(true, false),
  selectattr: chosen(true, true),
  sort,
  string: { takes: [], makes: (value) => (isMarkup(value) ? value : text(str(value))) },
  tojson: { takes: JSON_PARAMETERS, makes: (value, given) => text(toJson(value, given)) },
  trim: {
    takes: ['chars'],
    makes: (value, [characters]) =>
      text(stripped(said(value), characters === undefined || isNone(characters) ? null : textIn(characters))),
  },
  upper: ofText((whole) => whole.toUpperCase()),
};

/** @throws TemplateError for a filter that is not known, for what it does not take, and for what Python would throw */
export function filtered(name: string, value: Value, args: readonly Value[], named: Arguments): Value {
  if (name === 'map') return map(value, args, named);
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (filter === undefined) throw new TemplateError(`the filter '${name}' is not known here`);
  return filter.makes(value, bound(`the filter '${name}'`, filter.takes, args, named));
}
