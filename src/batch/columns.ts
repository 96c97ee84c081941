/** Which column of a table, or field of a line, stands for what of a request. */
import { UsageError } from '../errors.js';
import { didYouMean, nearest } from '../near-miss.js';
import { describe, shortened } from '../options.js';
import { policyFields } from '../policy/index.js';
import { QUESTION_NOTES } from './line-forms.js';

/** Field of a request to the column that holds it, such as `{ prompt: 'question', image: 'img' }`. */
export type FieldMap = Readonly<Record<string, string>>;

/** What a request calls itself, the first that is there. */
const ID_FIELDS = ['id', 'custom_id', 'question_id'] as const;

/** What asks. */
const ASKING = ['prompt', 'messages', 'turns'] as const;

/** What stands beside that. */
const BESIDE = ['image', 'images', 'seed', 'stop', 'reuse', 'exact'] as const;

/** What of a request a column may hold. */
const FIELDS: readonly string[] = ['id', ...ASKING, ...BESIDE, ...Object.keys(policyFields)];

/** Names that columns have elsewhere, for a message that proposes a map. */
const LIKELY: readonly (readonly [field: string, name: RegExp])[] = [
  ['prompt', /question|prompt|query|instruction|problem|text|input/i],
  ['image', /image|img|picture|photo|jpg|png/i],
];

/** A column and the field that it fills. */
export interface Column {
  readonly column: string;
  readonly field: string;
}

/** @throws UsageError ERR_UNKNOWN_OPTION for a field that no request has */
export function checkMap(map: FieldMap): void {
  for (const field of Object.keys(map))
    if (!FIELDS.includes(field))
      throw new UsageError(
        'ERR_UNKNOWN_OPTION',
        `map: unknown field '${shortened(field)}'. ${didYouMean(field, FIELDS)}`,
      );
}

/**
 * What is read of a table. With a map, what it names and the id; without one, columns go by their names, and all have to be
 * known.
 *
 * @param what a message calls the table
 * @throws UsageError ERR_COLUMNS that tells the columns that were found; as {@link checkMap}
 */
export function columnsToRead(columns: readonly string[], map: FieldMap | undefined, what: string): readonly Column[] {
  if (map !== undefined) return mapped(columns, map, what);
  const isQuestion = columns.includes('question_id');
  const isRead = (name: string) =>
    FIELDS.includes(name) || (ID_FIELDS as readonly string[]).includes(name) || (isQuestion && name === 'text');
  // A name that is empty is that of an index that a program wrote beside its table.
  const unknown = columns.filter((name) => !isRead(name) && !QUESTION_NOTES.includes(name) && name !== '');
  const read = columns.filter(isRead);
  const asks = read.some((name) => (ASKING as readonly string[]).includes(name) || name === 'text');
  if (asks && unknown.length === 0) return read.map((name) => ({ column: name, field: name }));
  const [first] = unknown;
  const near = first === undefined ? undefined : nearest(first, FIELDS);
  const hint =
    near === undefined || columns.includes(near) ? '' : ` Did you mean '${near}' by '${shortened(first ?? '')}'?`;
  const proposed = proposal(columns);
  const lacksHeader = columns.some((name) => CONTENT.test(name));
  const advice = lacksHeader
    ? ' Is that the first request, and no header? Then put the names of the columns above it, such as prompt,image.'
    : `${hint} Say which to read with map: '${proposed ?? 'prompt=COLUMN'}'; the others are passed over then.${proposed === null ? ' The first row has to hold the names.' : ''}`;
  throw new UsageError(
    'ERR_COLUMNS',
    `${what}: expected columns that a request has (prompt, image, images, messages, id, or one of its options), received ${listed(columns)}.${advice}`,
  );
}

function mapped(columns: readonly string[], map: FieldMap, what: string): readonly Column[] {
  checkMap(map);
  const found = Object.entries(map).map(([field, column]) => ({ column, field }));
  for (const { column, field } of found) {
    if (columns.includes(column)) continue;
    const near = nearest(column, columns);
    throw new UsageError(
      'ERR_COLUMNS',
      `${what}: expected a column ${describe(column)} for ${field}, received ${listed(columns)}.${near === undefined ? '' : ` Did you mean '${near}'?`}`,
    );
  }
  if (!found.some(({ field }) => (ASKING as readonly string[]).includes(field)))
    throw new UsageError(
      'ERR_COLUMNS',
      `${what}: expected a map that says which column asks (prompt, messages or turns), received one of ${Object.keys(map).join(', ')}. The columns are ${listed(columns)}.`,
    );
  const own = 'id' in map ? undefined : ID_FIELDS.find((name) => columns.includes(name));
  const isTaken = found.some(({ column }) => column === own);
  return own === undefined || isTaken ? found : [{ column: own, field: 'id' }, ...found];
}

/** The fields of a line that a map names, with its id; the others are left out. @throws UsageError ERR_INVALID_LINE */
export function mappedFields(
  line: Readonly<Record<string, unknown>>,
  map: FieldMap,
): Readonly<Record<string, unknown>> {
  const columns = mapped(Object.keys(line).concat(...optional(line, map)), map, 'request');
  const held = columns.filter(({ column }) => Object.hasOwn(line, column)); // a name may be one that every object has
  return Object.fromEntries(held.map(({ column, field }) => [field, line[column]]));
}

/** Of a line fields may be missing that others have, but not what asks. */
function optional(line: Readonly<Record<string, unknown>>, map: FieldMap): string[] {
  return Object.entries(map).flatMap(([field, column]) =>
    (ASKING as readonly string[]).includes(field) || Object.hasOwn(line, column) ? [] : [column],
  );
}

/** What stands in a row rather than above a column: a number, the path of a picture. */
const CONTENT = /^-?[\d.]+$|\.(?:jpe?g|png|webp|gif|bmp|tiff?)$/i;

/** As a command line takes it; a name with a quote of its own is left to whoever can write it there. Null where none is likely. */
function proposal(columns: readonly string[]): string | null {
  const writable = columns.filter((name) => !/['\p{Cc}]/u.test(name));
  const pairs = LIKELY.flatMap(([field, name]) => {
    const column = writable.find((one) => name.test(one));
    if (column === undefined) return [];
    return [`${field}=${/[,"]/.test(column) ? `"${column.replaceAll('"', '""')}"` : column}`];
  });
  return pairs.length === 0 ? null : pairs.join(',');
}

const SHOWN_COLUMNS = 20;

function listed(columns: readonly string[]): string {
  if (columns.length === 0) return 'none';
  const told = (name: string) => (/[,"]/.test(name) ? JSON.stringify(shortened(name)) : shortened(name));
  const shown = columns.slice(0, SHOWN_COLUMNS).map(told).join(', ');
  return columns.length > SHOWN_COLUMNS ? `${shown} and ${columns.length - SHOWN_COLUMNS} more` : shown;
}
