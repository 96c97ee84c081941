/** Methods of Python's texts and dicts that chat templates call. Any other that Python has is refused by its name. */
import { capitalized, filled, joined, replaced, split, stripped, titled } from './letters.js';
import { spendCharacters } from './meter.js';
import { fieldAt } from './operators.js';
import { bound, countIn, type Given, textIn } from './parameters.js';
import { TemplateError } from './template-error.js';
import { str } from './text.js';
import {
  type Arguments,
  entriesOf,
  isDict,
  isList,
  isNone,
  isText,
  itemsOf,
  iterated,
  list,
  none,
  text,
  textOf,
  truth,
  tuple,
  type Value,
  view,
} from './values.js';

interface Method<Self> {
  readonly takes: readonly string[];
  makes(self: Self, given: Given): Value;
}
/** One with its value, to be called. */
export type BoundMethod = (args: readonly Value[], named: Arguments) => Value;

/** A text, or null for none of them. */
const orNull = (value: Value | undefined) => (value === undefined || isNone(value) ? null : textIn(value));

const stripping = (side: 'both' | 'left' | 'right'): Method<string> => ({
  takes: [''],
  makes: (self, [characters]) => text(stripped(self, orNull(characters), side)),
});

const changing = (change: (self: string) => string): Method<string> => ({
  takes: [],
  makes: (self) => {
    spendCharacters(self.length);
    return text(change(self));
  },
});

/** With one of several texts, where a tuple is given. */
const meeting = (is: (self: string, part: string) => boolean): Method<string> => ({
  takes: [''],
  makes: (self, [given]) => {
    const parts = given?.type === 'TupleValue' ? itemsOf(given) : [given];
    return truth(parts.map(textIn).some((part) => is(self, part)));
  },
});

const OF_TEXT: Readonly<Record<string, Method<string>>> = {
  upper: changing((self) => self.toUpperCase()),
  lower: changing((self) => self.toLowerCase()),
  capitalize: changing(capitalized),
  title: changing(titled),
  strip: stripping('both'),
  lstrip: stripping('left'),
  rstrip: stripping('right'),
  startswith: meeting((self, part) => self.startsWith(part)),
  endswith: meeting((self, part) => self.endsWith(part)),
  split: {
    takes: ['sep', 'maxsplit'],
    makes: (self, [sep, most]) => list(split(self, orNull(sep), countIn(most, -1)).map(text)),
  },
  replace: {
    takes: ['', '', ''],
    makes: (self, [from, to, most]) => text(replaced(self, textIn(from), textIn(to), countIn(most, -1))),
  },
  join: {
    takes: [''],
    makes: (self, [parts]) => text(joined((parts === undefined ? [undefined] : iterated(parts)).map(textIn), self)),
  },
  format: {
    takes: Array.from({ length: 16 }, () => ''),
    makes: (self, given) =>
      text(
        filled(
          self,
          given.flatMap((value) => (value === undefined ? [] : [str(value)])),
        ),
      ),
  },
};

const OF_DICT: Readonly<Record<string, Method<Value>>> = {
  get: {
    takes: ['', ''],
    makes: (self, [key, otherwise]) => {
      if (key === undefined) throw new TemplateError('get takes a key');
      return fieldAt(self, key) ?? otherwise ?? none();
    },
  },
  items: { takes: [], makes: (self) => view([...entriesOf(self)].map(([key, value]) => tuple([text(key), value]))) },
  keys: { takes: [], makes: (self) => view([...entriesOf(self).keys()].map(text)) },
  values: { takes: [], makes: (self) => view([...entriesOf(self).values()]) },
};

const names = (said: string): ReadonlySet<string> => new Set(said.split(' '));

/** What Python has beside these. */
const OTHERS_OF_TEXT = names(
  'casefold center count encode expandtabs find format_map index isalnum isalpha isascii isdecimal isdigit isidentifier ' +
    'islower isnumeric isprintable isspace istitle isupper ljust maketrans partition removeprefix removesuffix rfind rindex ' +
    'rjust rpartition rsplit splitlines swapcase translate zfill',
);
const OTHERS_OF_DICT = names('clear copy fromkeys pop popitem setdefault update');
const OTHERS_OF_LIST = names('append clear copy count extend index insert pop remove reverse sort');

/** Undefined where Python has none of that name. @throws TemplateError for one that Python has, and that is not known here */
export function methodOf(self: Value, name: string): BoundMethod | undefined {
  if (isText(self)) return found(OF_TEXT, OTHERS_OF_TEXT, textOf(self), name, 'text');
  if (isDict(self)) return found(OF_DICT, OTHERS_OF_DICT, self, name, 'dict');
  if (isList(self)) return found<Value>({}, OTHERS_OF_LIST, self, name, 'list');
  return undefined;
}

function found<Self>(
  table: Readonly<Record<string, Method<Self>>>,
  others: ReadonlySet<string>,
  self: Self,
  name: string,
  kind: string,
): BoundMethod | undefined {
  const method = Object.hasOwn(table, name) ? table[name] : undefined;
  if (method !== undefined) return (args, named) => method.makes(self, bound(`'${name}'`, method.takes, args, named));
  if (others.has(name)) throw new TemplateError(`the method '${name}' of a ${kind} is not known here`);
  return undefined;
}
