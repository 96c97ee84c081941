/** Values of a template, as @huggingface/jinja holds them, under the names that Python has for them. */
import * as engine from '@huggingface/jinja';
import { spend, spendCharacters, spendItems } from './meter.js';
import { TemplateError } from './template-error.js';

/** Any value that an expression of a template can have. */
export interface Value {
  /** Such as "StringValue". */
  type: string;
  readonly value: unknown;
  __bool__(): { readonly value: boolean };
}

/** Names and their values, before those of what is around. */
export interface Environment {
  readonly parent?: Environment;
  readonly variables: ReadonlyMap<string, Value>;
  /** A value of JavaScript under a name that is free. */
  set(name: string, value: unknown): Value;
  setVariable(name: string, value: Value): Value;
}

// The types of the package name its files without their ends, so that TypeScript does not find them.
export const Environment = engine.Environment as unknown as new (around?: Environment) => Environment;
export const Interpreter = engine.Interpreter as unknown as new (
  globals: Environment,
) => { evaluate(statement: unknown, scope: Environment): Value; run(program: unknown): Value };
/** Of tokens the syntax tree. */
export const parse = engine.parse as unknown as (
  tokens: readonly { readonly type: string; readonly value: string }[],
) => unknown;

export type Arguments = ReadonlyMap<string, Value>;
type Call = (args: Value[], scope: Environment) => Value;

/** The classes are not exported: a value of each tells its own. */
const made = (value: unknown) => new Environment().set('value', value);
type Class<Held> = new (value?: Held) => Value;
const classOf = <Held>(value: unknown) => made(value).constructor as Class<Held>;
const [Integer, Float, Text, Truth] = [
  classOf<number>(1),
  classOf<number>(0.5),
  classOf<string>(''),
  classOf<boolean>(true),
];
const [None, Undefined, List, Dict, Callable] = [
  classOf<null>(null),
  classOf<undefined>(undefined),
  classOf<readonly Value[]>([]),
  classOf<ReadonlyMap<string, Value>>({}),
  classOf<Call>(() => null),
];

export const integer = (value: number): Value => new Integer(value);
export const float = (value: number): Value => new Float(value);
export const number = (value: number, isFloat: boolean): Value => (isFloat ? float(value) : integer(value));
export function text(value: string): Value {
  spendCharacters(value.length + 32);
  return new Text(value);
}
export const truth = (value: boolean): Value => new Truth(value);
export const none = (): Value => new None(null);
export const nothing = (): Value => new Undefined(undefined);
export function list(value: readonly Value[]): Value {
  spendItems(value.length);
  return new List(value);
}
export const dict = (value: ReadonlyMap<string, Value>): Value => new Dict(value);
export const callable = (value: Call): Value => new Callable(value);
/** A value of JavaScript. */
export const toValue = made;

/** What Python prints as another class than the one that holds it here. */
function as(type: string, value: Value): Value {
  value.type = type;
  return value;
}

export const tuple = (value: readonly Value[]): Value => as('TupleValue', list(value));
/** What a filter gives that Python computes as a loop asks for it: always true, without a length, and run over once. */
export const generator = (value: readonly Value[]): Value =>
  Object.assign(as('GeneratorValue', list(value)), { __bool__: () => ({ value: true }) });
/** The keys, values or items of a dict. */
export const view = (value: readonly Value[]): Value => as('ViewValue', list(value));
export const rangeOf = (value: readonly Value[]): Value => as('RangeValue', list(value));
/** Fields that `set` changes. */
export const namespace = (fields: Map<string, Value>): Value =>
  Object.assign(as('NamespaceValue', dict(fields)), { __bool__: () => ({ value: true }) });
/** Behind the filter `safe`: Python escapes what is added to it, which is not known here. */
export const markup = (value: string): Value => as('MarkupValue', text(value));

export const isText = (value: Value): boolean => value.type === 'StringValue';
export const isMarkup = (value: Value): boolean => value.type === 'MarkupValue';
export const isUndefined = (value: Value): boolean => value.type === 'UndefinedValue';
export const isNone = (value: Value): boolean => value.type === 'NullValue';
export const isList = (value: Value): boolean => value.type === 'ArrayValue' || value.type === 'TupleValue';
export const isDict = (value: Value): boolean => value.type === 'ObjectValue';
export const isCallable = (value: Value): boolean => value.type === 'FunctionValue';
export const isTruth = (value: Value): boolean => value.type === 'BooleanValue';
export const isInteger = (value: Value): boolean => value.type === 'IntegerValue';
export const isFloat = (value: Value): boolean => value.type === 'FloatValue';
/** Of Python a boolean is a number too. */
export const isNumber = (value: Value): boolean =>
  value.type === 'IntegerValue' || value.type === 'FloatValue' || value.type === 'BooleanValue';

export const textOf = (value: Value): string => value.value as string;
export const numberOf = (value: Value): number => Number(value.value);
export const itemsOf = (value: Value): readonly Value[] => value.value as unknown as readonly Value[];
export const entriesOf = (value: Value): ReadonlyMap<string, Value> =>
  value.value as unknown as ReadonlyMap<string, Value>;
export const isTrue = (value: Value): boolean => value.__bool__().value;

const NAMES: Readonly<Record<string, string>> = {
  StringValue: 'str',
  IntegerValue: 'int',
  FloatValue: 'float',
  BooleanValue: 'bool',
  NullValue: 'NoneType',
  UndefinedValue: 'Undefined',
  ArrayValue: 'list',
  TupleValue: 'tuple',
  GeneratorValue: 'generator',
  ViewValue: 'dict view',
  RangeValue: 'range',
  MarkupValue: 'Markup',
  ObjectValue: 'dict',
  LoopValue: 'loop',
  NamespaceValue: 'namespace',
  FunctionValue: 'function',
};

/** What Python calls its type. */
export const typeOf = (value: Value): string => NAMES[value.type] ?? value.type;

const spent = new WeakSet<Value>();

/** What a loop runs over. @throws TemplateError for what Python cannot run over, and for a generator that was run over */
export function iterated(value: Value): readonly Value[] {
  if (isList(value) || value.type === 'ViewValue' || value.type === 'RangeValue') return itemsOf(value);
  if (value.type === 'GeneratorValue') {
    if (spent.has(value))
      throw new TemplateError("a generator that is run over twice is empty: '|list' makes a list of it");
    spent.add(value);
    return itemsOf(value);
  }
  if (isText(value)) return lettersOf(textOf(value)).map(text);
  if (isDict(value)) return [...entriesOf(value).keys()].map(text);
  if (isUndefined(value)) return [];
  throw new TemplateError(`'${typeOf(value)}' object is not iterable`);
}

/** By code points, as Python counts them. */
export function lettersOf(said: string): string[] {
  spend(said.length / 4);
  return [...said];
}
