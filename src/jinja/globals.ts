/** Functions and constants that a template finds around it, as transformers gives them. */
import { strftime } from './clock.js';
import { spend, spendItems } from './meter.js';
import { textIn } from './parameters.js';
import { TemplateError } from './template-error.js';
import { str } from './text.js';
import {
  callable,
  dict,
  entriesOf,
  integer,
  isDict,
  isNumber,
  namespace,
  numberOf,
  rangeOf,
  text,
  toValue,
  type Value,
} from './values.js';

/** A reason that a template gives is for people to read. */
const LONGEST_REASON = 1000;

function range(args: readonly Value[]): Value {
  const bounds = args.map((bound) => (isNumber(bound) ? numberOf(bound) : Number.NaN));
  if (bounds.length === 0 || bounds.length > 3 || !bounds.every(Number.isInteger))
    throw new TemplateError('range takes one to three integers');
  const [start = 0, stop = 0, step = 1] = bounds.length === 1 ? [0, ...bounds] : bounds;
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  spend(count);
  return rangeOf(Array.from({ length: count }, (_, at) => integer(start + at * step)));
}

/** Of a dict and of names behind it, the last of the values, as the engine passes them. */
function fieldsOf(args: readonly Value[]): Map<string, Value> {
  const given = args.filter((one) => isDict(one) || one.type === 'KeywordArgumentsValue');
  if (given.length < args.length || given.filter(isDict).length > 1)
    throw new TemplateError('dict and namespace take names and values, or a dict');
  for (const one of given) spendItems(8 * entriesOf(one).size);
  return new Map(given.flatMap((one) => [...entriesOf(one)]));
}

/** One argument, by its place. */
function only(args: readonly Value[], name: string): Value {
  const [one, ...more] = args;
  if (one === undefined || more.length > 0) throw new TemplateError(`${name} takes one argument`);
  return one;
}

export const NAMESPACE = callable((args) => namespace(fieldsOf(args)));

export const GLOBALS: Readonly<Record<string, Value>> = {
  ...Object.fromEntries(['true', 'True'].map((name) => [name, toValue(true)])),
  ...Object.fromEntries(['false', 'False'].map((name) => [name, toValue(false)])),
  ...Object.fromEntries(['none', 'None'].map((name) => [name, toValue(null)])),
  range: callable(range),
  dict: callable((args) => dict(fieldsOf(args))),
  raise_exception: callable((args) => {
    throw new TemplateError(str(only(args, 'raise_exception')).slice(0, LONGEST_REASON));
  }),
  strftime_now: callable((args) => text(strftime(new Date(), textIn(only(args, 'strftime_now'))))),
};
