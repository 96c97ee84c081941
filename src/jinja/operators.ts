/** What stands between two values, as Python computes it. */
import { spend, spendCharacters, spendItems } from './meter.js';
import { TemplateError } from './template-error.js';
import { str } from './text.js';
import {
  entriesOf,
  float,
  isDict,
  isFloat,
  isList,
  isMarkup,
  isNone,
  isNumber,
  isText,
  isUndefined,
  itemsOf,
  iterated,
  lettersOf,
  list,
  number,
  numberOf,
  text,
  textOf,
  truth,
  tuple,
  typeOf,
  type Value,
} from './values.js';

/** What is never equal to another of its type. */
const isTold = (value: Value) => value.type === 'FunctionValue' || value.type === 'NamespaceValue';

/** Python's `==`. */
export function equal(a: Value, b: Value): boolean {
  spend(1);
  if (isMarkup(a) || isMarkup(b)) throw new TemplateError("a comparison behind the filter 'safe' is not known here");
  if (isNumber(a) && isNumber(b)) return numberOf(a) === numberOf(b);
  if (isText(a) && isText(b)) {
    spendCharacters(textOf(a).length === textOf(b).length ? textOf(a).length : 0);
    return textOf(a) === textOf(b);
  }
  if (isNone(a) || isUndefined(a)) return a.type === b.type;
  if (isList(a) && a.type === b.type) {
    const [left, right] = [itemsOf(a), itemsOf(b)];
    return left.length === right.length && left.every((item, at) => equal(item, right[at] as Value));
  }
  if (isDict(a) && isDict(b)) {
    const [left, right] = [entriesOf(a), entriesOf(b)];
    return (
      left.size === right.size && [...left].every(([key, one]) => right.has(key) && equal(one, right.get(key) as Value))
    );
  }
  if (a.type === b.type && a !== b && !isTold(a))
    throw new TemplateError(`whether two of ${typeOf(a)} are equal is not known here`);
  return a === b;
}

/** Python's order: below 0 where the first is less. @throws TemplateError for what has none */
export function compared(a: Value, b: Value, operator = '<'): number {
  spend(1);
  if (isNumber(a) && isNumber(b)) return numberOf(a) - numberOf(b);
  if (isText(a) && isText(b)) return comparedTexts(textOf(a), textOf(b));
  if (isList(a) && a.type === b.type) {
    const [left, right] = [itemsOf(a), itemsOf(b)];
    for (const [at, item] of left.entries()) {
      const other = right[at];
      if (other === undefined) return 1;
      if (!equal(item, other)) return compared(item, other, operator);
    }
    return left.length - right.length;
  }
  throw new TemplateError(`'${operator}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`);
}

/** By code points, not by halves of them. */
export function comparedTexts(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  spend(1 + most / 16);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at === most ? a.length - b.length : (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
}

/** The field of a dict; undefined where there is none. @throws TemplateError for what is no key */
export function fieldAt(self: Value, key: Value): Value | undefined {
  if (isDict(key) || key.type === 'ArrayValue') throw new TemplateError(`unhashable type: '${typeOf(key)}'`);
  return isText(key) ? entriesOf(self).get(textOf(key)) : undefined;
}

/** Python's `in`. */
export function contains(container: Value, one: Value): boolean {
  if (isText(container) && isText(one)) {
    spendCharacters(textOf(container).length);
    return textOf(container).includes(textOf(one));
  }
  if (isDict(container)) return fieldAt(container, one) !== undefined;
  if (isText(container)) throw new TemplateError(`'in' a text needs a text, received ${typeOf(one)}`);
  return iterated(container).some((item) => equal(item, one));
}

/** An operator with two sides, both of which are known. @throws TemplateError where Python throws */
export function binary(operator: string, a: Value, b: Value): Value {
  if (operator === '==') return truth(equal(a, b));
  if (operator === '!=') return truth(!equal(a, b));
  if (operator === 'in') return truth(contains(b, a));
  if (operator === 'not in') return truth(!contains(b, a));
  if (operator === '~') return text(str(a) + str(b));
  if (isUndefined(a) || isUndefined(b)) throw new TemplateError(`'${operator}' needs two values, one is undefined`);
  if (operator === '<') return truth(compared(a, b, operator) < 0);
  if (operator === '>') return truth(compared(a, b, operator) > 0);
  if (operator === '<=') return truth(compared(a, b, operator) <= 0);
  if (operator === '>=') return truth(compared(a, b, operator) >= 0);
  if (operator === '%' && isText(a)) throw new TemplateError("'%' of a text is not known here: join texts with '~'");
  if (isNumber(a) && isNumber(b)) return computed(operator, numberOf(a), numberOf(b), isFloat(a) || isFloat(b));
  if (operator === '+' && isText(a) && isText(b)) return text(textOf(a) + textOf(b));
  if (operator === '+' && isList(a) && a.type === b.type) return added(a, b);
  if (operator === '*') {
    const [many, count] = isNumber(a) ? [b, a] : [a, b];
    if (!isNumber(many) && isNumber(count) && !isFloat(count)) return repeated(many, Math.max(0, numberOf(count)));
  }
  throw new TemplateError(`unsupported operand types for ${operator}: '${typeOf(a)}' and '${typeOf(b)}'`);
}

function added(a: Value, b: Value): Value {
  spendItems(itemsOf(a).length + itemsOf(b).length);
  return (a.type === 'ArrayValue' ? list : tuple)([...itemsOf(a), ...itemsOf(b)]);
}

function repeated(many: Value, count: number): Value {
  if (isText(many)) {
    spendCharacters(count * textOf(many).length);
    return text(textOf(many) === '' ? '' : textOf(many).repeat(count));
  }
  if (!isList(many)) throw new TemplateError(`can't multiply sequence by '${typeOf(many)}'`);
  // An empty list many times over takes its time too.
  spendItems(count * Math.max(1, itemsOf(many).length));
  const items: Value[] = [];
  for (let i = 0; i < count; i++) for (const item of itemsOf(many)) items.push(item);
  return many.type === 'ArrayValue' ? list(items) : tuple(items);
}

function computed(operator: string, a: number, b: number, isFloat: boolean): Value {
  if (b === 0 && (operator === '/' || operator === '//' || operator === '%'))
    throw new TemplateError('division by zero');
  if (operator === '+') return counted(a + b, isFloat);
  if (operator === '-') return counted(a - b, isFloat);
  if (operator === '*') return counted(a * b, isFloat);
  if (operator === '/') return float(a / b);
  if (operator === '//') return counted(Math.floor(a / b), isFloat);
  if (operator === '%') return counted(modulo(a, b), isFloat);
  throw new TemplateError(`the operator '${operator}' is not known here`);
}

/** Python's integers have no bound. @throws TemplateError for one that is not counted exactly here */
function counted(value: number, isFloat: boolean): Value {
  if (isFloat || Number.isSafeInteger(value)) return number(value, isFloat);
  throw new TemplateError(`an integer beyond ${Number.MAX_SAFE_INTEGER} is not counted exactly here`);
}

/** It has the sign of the second number, in Python. */
function modulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Python's `value[start:stop:step]`. */
export function sliced(value: Value, [start, stop, step]: readonly (number | null)[]): Value {
  const isWord = isText(value);
  if (!isWord && !isList(value)) throw new TemplateError(`'${typeOf(value)}' object cannot be sliced`);
  const items: readonly unknown[] = isWord ? lettersOf(textOf(value)) : itemsOf(value);
  const by = step ?? 1;
  if (by === 0) throw new TemplateError('slice step cannot be zero');
  const [low, high] = by > 0 ? [0, items.length] : [-1, items.length - 1];
  const placed = (at: number | null | undefined, otherwise: number) =>
    at == null ? otherwise : Math.min(high, Math.max(low, at < 0 ? at + items.length : at));
  const [from, to] = [placed(start, by > 0 ? low : high), placed(stop, by > 0 ? high : low)];
  const found: unknown[] = [];
  for (let at = from; by > 0 ? at < to : at > to; at += by) found.push(items[at]);
  if (isWord) return text(found.join(''));
  return (value.type === 'ArrayValue' ? list : tuple)(found as Value[]);
}
