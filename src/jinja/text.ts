/** Values as Python prints them. */
import { spend, spendCharacters } from './meter.js';
import { TemplateError } from './template-error.js';
import {
  entriesOf,
  isDict,
  isFloat,
  isInteger,
  isList,
  isMarkup,
  isNone,
  isText,
  isTruth,
  isUndefined,
  itemsOf,
  numberOf,
  textOf,
  typeOf,
  type Value,
} from './values.js';

/** Python's `str`. */
export function str(value: Value): string {
  if (isText(value) || isMarkup(value)) return textOf(value);
  return isUndefined(value) ? '' : repr(value);
}

/** Python's `repr`. @throws TemplateError for a function, whose text says where it lies in memory */
function repr(value: Value): string {
  spend(1);
  if (isText(value)) return quoted(textOf(value));
  if (isNone(value)) return 'None';
  if (isUndefined(value)) return 'Undefined';
  if (isTruth(value)) return value.value ? 'True' : 'False';
  if (isFloat(value)) return floatText(numberOf(value));
  if (isInteger(value)) return integerText(numberOf(value));
  if (isList(value)) {
    const items = itemsOf(value).map(repr);
    if (value.type === 'ArrayValue') return `[${items.join(', ')}]`;
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
  }
  if (isDict(value)) {
    const entries = [...entriesOf(value)].map(([key, one]) => `${quoted(key)}: ${repr(one)}`);
    return `{${entries.join(', ')}}`;
  }
  throw new TemplateError(`the text of a ${typeOf(value)} is not known here`);
}

/** Python's integers have no bound: beyond what JavaScript counts exactly, none is shown. */
export function integerText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value + 0 === 0 ? 0 : value);
  throw new TemplateError(`an integer beyond ${Number.MAX_SAFE_INTEGER} is not counted exactly here`);
}

/** The shortest digits that read back the same, with an exponent from 1e16 on and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16)
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const plain = exponent < 0 ? value.toFixed(digits.replace(/[-.]/g, '').length - 1 - exponent) : String(value);
  return plain.includes('.') ? plain : `${plain}.0`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

/** In single quotes, or in double ones where it has single ones alone; what does not print is escaped. */
function quoted(text: string): string {
  spendCharacters(text.length);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\'\p{C}\p{Z}]/gu, (sign) => {
    if (sign === ' ' || (sign === "'" && quote === '"')) return sign;
    if (sign === "'") return "\\'";
    const known = ESCAPES[sign];
    if (known !== undefined) return known;
    const code = sign.codePointAt(0) ?? 0;
    const digits = code.toString(16);
    if (code < 0x100) return `\\x${digits.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
  });
  return `${quote}${inner}${quote}`;
}
