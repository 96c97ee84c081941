/** Cells of tables as fields of a request: text where a format has no other kind of value. */

import { withoutNulls } from '../chat-form/index.js';
import { parsedJson } from '../json.js';

/** What is a text whatever it looks like. */
const TEXTS: readonly string[] = [
  'id',
  'custom_id',
  'question_id',
  'prompt',
  'text',
  'image',
  'refusalText',
  'interferencePrefix',
  'refusingPrefix',
  'captionPrompt',
  'captionedPrompt',
  'safetyPrompt',
  'postEvaluationPrompt',
  'bestOfNPrompt',
];

const PICTURES: readonly string[] = ['image', 'images'];

/** What JSON would read as no text: a number, true or false, an array, an object. */
const OTHER_THAN_TEXT = /^(-?\d|\[|\{|(true|false)$)/;

/** The fields of a row. A list of pictures in the column of one picture is taken as such, unless there are others beside it. */
export function fieldsOf(row: readonly (readonly [field: string, cell: unknown])[]): Readonly<Record<string, unknown>> {
  const fields: [string, unknown][] = [];
  for (const [field, cell] of row) {
    const value = fieldValue(field, cell);
    if (value === undefined) continue;
    if (field === 'images' && !Array.isArray(value)) fields.push([field, [value]]);
    else if (!PICTURES.includes(field) || !Array.isArray(value) || value.length > 0) fields.push([field, value]);
  }
  const { image, ...others } = Object.fromEntries(fields);
  if (image === undefined) return others;
  return Array.isArray(image) && !('images' in others) ? { ...others, images: image } : { ...others, image };
}

function fieldValue(field: string, cell: unknown): unknown {
  if (typeof cell === 'string') return textValue(field, cell);
  if (typeof cell === 'bigint') {
    const number = Number(cell);
    return Number.isSafeInteger(number) ? number : String(cell);
  }
  if (cell instanceof Date) return cell.toISOString();
  if (cell instanceof Uint8Array) return cell;
  if (Array.isArray(cell) || (typeof cell === 'object' && cell !== null)) return withoutNullsIn(cell);
  return cell ?? undefined;
}

function textValue(field: string, text: string): unknown {
  if (text === '') return undefined;
  const mayBeOther = field === 'images' ? text.startsWith('[') : !TEXTS.includes(field) && OTHER_THAN_TEXT.test(text);
  const other = mayBeOther ? parsedJson(text) : undefined;
  return other === undefined ? text : withoutNulls(other);
}

/** As {@link withoutNulls}, which would take bytes for an object. */
function withoutNullsIn(cell: unknown): unknown {
  if (cell instanceof Uint8Array || typeof cell !== 'object' || cell === null)
    return typeof cell === 'bigint' ? Number(cell) : cell;
  if (Array.isArray(cell)) return cell.filter((one) => one !== null).map(withoutNullsIn);
  const kept = Object.entries(cell).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutNullsIn(value)]));
}
