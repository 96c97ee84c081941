/** What stands behind a dot or in brackets. */
import { type BoundMethod, methodOf } from './methods.js';
import { TemplateError } from './template-error.js';
import {
  callable,
  entriesOf,
  integer,
  isDict,
  isList,
  isNumber,
  isText,
  isUndefined,
  itemsOf,
  lettersOf,
  nothing,
  numberOf,
  text,
  textOf,
  typeOf,
  type Value,
} from './values.js';

/** Values whose members are not known. */
const CLOSED: ReadonlySet<string> = new Set(['FunctionValue', 'MarkupValue']);

const hasFields = (self: Value) => isDict(self) || self.type === 'NamespaceValue' || self.type === 'LoopValue';

/** A field of a dict, which goes before its methods where a dot names it. */
function ownField(self: Value, name: string): Value | undefined {
  return hasFields(self) ? entriesOf(self).get(name) : undefined;
}

/** A method where a dot calls it; undefined where that is a field, or nothing. */
export function calledMethod(self: Value, name: string): BoundMethod | undefined {
  return ownField(self, name) === undefined ? methodOf(self, name) : undefined;
}

/** Nothing where there is none. @throws TemplateError for what Python may have there, and is not known here */
export function memberOf(self: Value, key: Value): Value {
  if (CLOSED.has(self.type)) throw new TemplateError(`what stands within a ${typeOf(self)} is not known here`);
  if (isText(key)) {
    const field = ownField(self, textOf(key));
    if (field !== undefined) return field;
    const method = methodOf(self, textOf(key));
    return method === undefined ? nothing() : callable((args) => method(args, new Map()));
  }
  // A list takes whole numbers; Jinja takes what is none of them for no place in it.
  if (!isNumber(key) || !Number.isInteger(numberOf(key)) || key.type === 'FloatValue') return nothing();
  if (isText(self)) {
    const letter = lettersOf(textOf(self)).at(numberOf(key));
    return letter === undefined ? nothing() : text(letter);
  }
  return isList(self) || self.type === 'RangeValue' ? (itemsOf(self).at(numberOf(key)) ?? nothing()) : nothing();
}

/** `a.b.0` of a value, as filters take it. @param otherwise takes the place of what is undefined on the way */
export function attributeOf(value: Value, path: Value, otherwise?: Value): Value {
  if (!isText(path) || textOf(path).includes(',')) throw new TemplateError("an attribute is a text here, without ','");
  let found = value;
  for (const name of textOf(path).split('.')) {
    if (isUndefined(found)) throw new TemplateError(`'${name}' of what is undefined`);
    found = memberOf(found, /^\d+$/.test(name) ? integer(Number(name)) : text(name));
    if (isUndefined(found) && otherwise !== undefined) found = otherwise;
  }
  return found;
}
