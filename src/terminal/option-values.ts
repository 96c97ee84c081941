/** Option texts to values. A wrong one is refused before anything is loaded. */
import { type Argument, InvalidArgumentError, type Option } from 'commander';
import { didYouMean } from '../near-miss.js';

/** A whole number of at least `least`, written in digits. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** Whole numbers between commas, "1,2,3", each once. */
export function wholeNumbers(least: number, most: number): (text: string) => readonly number[] {
  const one = wholeNumber(least, most);
  return (text) => [...new Set(text.split(',').map((number) => one(number.trim())))];
}

/** A finite number above 0, in decimals. */
export function positiveNumber(text: string): number {
  const value = /^[+]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** Gathers an option that may be given several times. */
export function collected(text: string, previous: readonly string[] | undefined): readonly string[] {
  if (text === '') throw new InvalidArgumentError('Expected a file name.');
  return [...(previous ?? []), text];
}

/** Gathers texts of an option that may be given several times. */
export function collectedTexts(text: string, previous: readonly string[] | undefined): readonly string[] {
  if (text === '') throw new InvalidArgumentError('Expected a text that is not empty.');
  return [...(previous ?? []), text];
}

/** A text that says something. */
export function filled(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected a text that is not empty.');
}

/** Lets an option or an argument be one of these names alone; help lists them, and a near miss is named. */
export function among<Taker extends Argument | Option>(taker: Taker, names: readonly string[]): Taker {
  taker.choices(names).argParser((text: string) => {
    if (names.includes(text)) return text;
    throw new InvalidArgumentError(didYouMean(text, names, `Allowed choices are ${names.join(', ')}.`));
  });
  return taker;
}
