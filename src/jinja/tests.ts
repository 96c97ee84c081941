/** What stands behind `is`, and what the filters `select` and `selectattr` ask, as Jinja does. */
import { contains, equal } from './operators.js';
import { TemplateError } from './template-error.js';
import { isDict, isList, isMarkup, isNone, isNumber, isText, isTruth, isUndefined, type Value } from './values.js';

const isWord = (value: Value) => isText(value) || isMarkup(value);
const isSequence = (value: Value) =>
  isList(value) || isWord(value) || isDict(value) || isUndefined(value) || value.type === 'RangeValue';

const TESTS: Readonly<Record<string, (value: Value) => boolean>> = {
  boolean: isTruth,
  defined: (value) => !isUndefined(value),
  undefined: isUndefined,
  none: isNone,
  true: (value) => isTruth(value) && value.value === true,
  false: (value) => isTruth(value) && value.value === false,
  string: isWord,
  number: isNumber,
  mapping: isDict,
  iterable: (value) => isSequence(value) || value.type === 'GeneratorValue' || value.type === 'ViewValue',
  sequence: isSequence,
};

const COMPARING: Readonly<Record<string, (value: Value, other: Value) => boolean>> = {
  eq: equal,
  equalto: equal,
  '==': equal,
  ne: (value, other) => !equal(value, other),
  '!=': (value, other) => !equal(value, other),
  in: (value, container) => contains(container, value),
};

/** @throws TemplateError for a test that is not known, or that lacks what it compares with */
export function passes(name: string, value: Value, other: Value | undefined): boolean {
  const test = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined;
  const comparing = Object.hasOwn(COMPARING, name) ? COMPARING[name] : undefined;
  if (test !== undefined && other === undefined) return test(value);
  if (comparing !== undefined && other !== undefined) return comparing(value, other);
  if (test === undefined && comparing === undefined) throw new TemplateError(`the test '${name}' is not known here`);
  throw new TemplateError(`the test '${name}' takes ${other === undefined ? 'something to compare with' : 'nothing'}`);
}
