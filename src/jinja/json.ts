/** The filter `tojson` as transformers has it: Python's `json.dumps`, without escapes for HTML. */
import { spend, spendCharacters } from './meter.js';
import { comparedTexts } from './operators.js';
import { flag, type Given } from './parameters.js';
import { TemplateError } from './template-error.js';
import { floatText, integerText } from './text.js';
import {
  entriesOf,
  isDict,
  isFloat,
  isInteger,
  isList,
  isNone,
  isText,
  isTruth,
  itemsOf,
  numberOf,
  textOf,
  typeOf,
  type Value,
} from './values.js';

interface Form {
  readonly isAscii: boolean;
  /** Null: all in one line. */
  readonly indent: string | null;
  readonly separators: readonly [item: string, key: string];
  readonly sortsKeys: boolean;
}

export const JSON_PARAMETERS = ['ensure_ascii', 'indent', 'separators', 'sort_keys'];

/** @param given by the place in {@link JSON_PARAMETERS} @throws TemplateError for what JSON cannot say */
export function toJson(value: Value, [isAscii, indentation, separation, sortsKeys]: Given): string {
  const indent = indentOf(indentation);
  const separators = separatorsOf(separation) ?? [indent === null ? ', ' : ',', ': '];
  return written(value, { isAscii: flag(isAscii), indent, separators, sortsKeys: flag(sortsKeys) }, '\n');
}

function indentOf(value: Value | undefined): string | null {
  if (value === undefined || isNone(value)) return null;
  if (isText(value)) return textOf(value);
  if (!isInteger(value)) throw new TemplateError('tojson: indent is a count of spaces, or a text');
  const count = Math.max(0, numberOf(value));
  spendCharacters(count);
  return ' '.repeat(count);
}

function separatorsOf(value: Value | undefined): [string, string] | null {
  if (value === undefined || isNone(value)) return null;
  const texts = isList(value) ? itemsOf(value).filter(isText).map(textOf) : [];
  const [item, key] = texts;
  if (texts.length === 2 && item !== undefined && key !== undefined) return [item, key];
  throw new TemplateError('tojson: separators are two texts');
}

/** @param margin newline and indent of what stands around it */
function written(value: Value, form: Form, margin: string): string {
  spend(2);
  if (isNone(value)) return 'null';
  if (isTruth(value)) return value.value ? 'true' : 'false';
  if (isText(value)) return textJson(textOf(value), form);
  if (isFloat(value)) {
    const plain = floatText(numberOf(value));
    return { nan: 'NaN', inf: 'Infinity', '-inf': '-Infinity' }[plain] ?? plain;
  }
  if (isInteger(value)) return integerText(numberOf(value));
  if (isList(value))
    return joined(
      '[]',
      itemsOf(value).map((item) => (inner: string) => written(item, form, inner)),
      form,
      margin,
    );
  if (!isDict(value)) throw new TemplateError(`Object of type ${typeOf(value)} is not JSON serializable`);
  const entries = [...entriesOf(value)];
  if (form.sortsKeys) entries.sort(([a], [b]) => comparedTexts(a, b));
  const parts = entries.map(
    ([key, one]) =>
      (inner: string) =>
        `${textJson(key, form)}${form.separators[1]}${written(one, form, inner)}`,
  );
  return joined('{}', parts, form, margin);
}

function joined(brackets: string, parts: readonly ((margin: string) => string)[], form: Form, margin: string): string {
  if (parts.length === 0) return brackets;
  const inner = form.indent === null ? '' : margin + form.indent;
  spendCharacters(parts.length * (form.separators[0].length + inner.length));
  const body = parts.map((part) => part(inner)).join(form.separators[0] + inner);
  // It is copied into what stands around it.
  spendCharacters(body.length);
  return `${brackets[0]}${inner}${body}${form.indent === null ? '' : margin}${brackets[1]}`;
}

function textJson(text: string, { isAscii }: Form): string {
  spendCharacters(text.length);
  const plain = JSON.stringify(text);
  if (!isAscii) return plain;
  return plain.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
