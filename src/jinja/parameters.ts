/** What is given to filters and methods, put to the parameters that they declare: what nobody reads is refused by its name. */
import { spend } from './meter.js';
import { TemplateError } from './template-error.js';
import { type Arguments, isInteger, isNone, isText, isTrue, numberOf, textOf, typeOf, type Value } from './values.js';

/** By the place of their parameter; undefined for what was not given. */
export type Given = readonly (Value | undefined)[];

/**
 * @param what who is called, for a message
 * @param parameters names by their place; an empty one is given by its place alone
 * @throws TemplateError for more than that, another name, or one given twice
 */
export function bound(what: string, parameters: readonly string[], args: readonly Value[], named: Arguments): Given {
  spend(1);
  if (args.length > parameters.length)
    throw new TemplateError(`${what} takes ${parameters.length || 'no'} arguments here, received ${args.length}`);
  const given: (Value | undefined)[] = [...args];
  for (const [name, value] of named) {
    const at = name === '' ? -1 : parameters.indexOf(name);
    if (at < 0) throw new TemplateError(`${what} takes no argument '${name}' here`);
    if (given[at] !== undefined) throw new TemplateError(`${what} got the argument '${name}' twice`);
    given[at] = value;
  }
  return given;
}

export const flag = (value: Value | undefined): boolean => value !== undefined && isTrue(value);

/** @throws TemplateError for none, and for what is no text */
export function textIn(value: Value | undefined): string {
  if (value !== undefined && isText(value)) return textOf(value);
  throw new TemplateError(`expected a text, received ${value === undefined ? 'none' : typeOf(value)}`);
}

/** @throws TemplateError for what is no integer */
export function countIn(value: Value | undefined, otherwise: number): number {
  if (value === undefined || isNone(value)) return otherwise;
  if (isInteger(value)) return numberOf(value);
  throw new TemplateError(`expected an integer, received ${typeOf(value)}`);
}
