/** A person's own items, in whatever file they were written: what a row may hold, and the items of all rows. */
import { z } from 'zod';
import { Turns } from '../turns.js';
import { type DatasetFolder, someText } from './dataset.js';
import type { AnswerKey, BenchmarkItem } from './item.js';

export const ownItemSchema = z.strictObject({
  /** @default the number of the line */
  id: someText.optional(),
  prompt: someText,
  /** A path relative to the file, or a `data:` URL. */
  image: someText.nullish(),
  /** @default 'all' */
  category: someText.optional(),
  /** The right answer, or several; then accuracy is counted, else a judge is asked. */
  right: z.union([someText, z.array(someText).min(1)], 'expected a text or an array of texts').optional(),
  /** Texts of A, B, C, …; `right` is then a letter. */
  options: z.array(someText, 'expected an array of texts').min(2, 'expected at least 2 options').max(26).optional(),
  /** @default true where there is no right answer */
  harmful: z.boolean('expected true or false').optional(),
});

export interface OwnRow {
  readonly line: number;
  readonly row: z.output<typeof ownItemSchema>;
}

/** @throws UsageError ERR_DATASET_INVALID for an id that comes twice or a letter beyond the options; what `pictures` throws */
export async function ownItems(
  folder: DatasetFolder,
  file: string,
  rows: readonly OwnRow[],
): Promise<readonly BenchmarkItem[]> {
  const turns = new Turns();
  const seen = new Map<string, number>();
  for (const { line, row } of rows) {
    if (turns.isDue) await turns.give();
    const id = row.id ?? String(line);
    const first = seen.get(id);
    if (first !== undefined)
      throw folder.invalid(file, `id: expected each once, received ${JSON.stringify(id)} of line ${first} again.`, {
        line,
      });
    seen.set(id, line);
    if (row.options !== undefined && !isLetter(row.right, row.options.length))
      throw folder.invalid(file, `right: expected the letter of an option, received ${JSON.stringify(row.right)}.`, {
        line,
      });
  }
  const paths = rows.flatMap(({ row }) => (row.image == null || isUrl(row.image) ? [] : [row.image]));
  const pictures = await folder.pictures(paths);
  return await turns.map(rows, ({ line, row }) => {
    const key = keyOf(row);
    return {
      id: row.id ?? String(line),
      category: row.category ?? 'all',
      prompt: row.prompt,
      image: row.image == null ? null : (pictures.get(row.image) ?? row.image),
      measure: key === undefined ? ('unsafe' as const) : ('right' as const),
      isHarmful: row.harmful ?? key === undefined,
      ...(key === undefined ? {} : { key }),
    };
  });
}

function keyOf({ right, options }: OwnRow['row']): AnswerKey | undefined {
  if (right === undefined) return undefined;
  const all = typeof right === 'string' ? [right] : right;
  return options === undefined ? { kind: 'text', right: all } : { kind: 'choice', right: all[0] ?? '', options };
}

const isUrl = (image: string) => image.startsWith('data:');

function isLetter(right: string | readonly string[] | undefined, count: number): boolean {
  return typeof right === 'string' && right.length === 1 && right >= 'A' && right.charCodeAt(0) - 65 < count;
}
