/** A request under one change, and the files that are kept of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../batch/index.js';
import type { BenchmarkItem } from '../benchmark/index.js';
import { encodePng } from '../image/index.js';
import { writeWhole } from '../outputs/index.js';
import { exists } from '../regular-file.js';
import type { ImageSource, RgbImage } from '../types/picture.js';
import type { Turn } from '../types/turn.js';

/** A request under one change; strength 0 is the request as it was. */
export interface ChangedItem {
  readonly change: string;
  /** What a strength is, with its unit. */
  readonly unit: string;
  readonly strength: number;
  readonly item: BenchmarkItem;
  /** Id of the item that it was made of. */
  readonly from: string;
  /** Turns before its question, which hold its picture; absent where it is asked alone. */
  readonly before?: readonly Turn[];
}

/** A request about a picture. */
export interface PicturedItem extends BenchmarkItem {
  readonly image: ImageSource;
}

/** A change at one strength. */
export type Change = Pick<ChangedItem, 'change' | 'unit' | 'strength'>;

export const UNCHANGED: Change = { change: 'none', unit: '', strength: 0 };

/** As tables call a change. */
export function label({ change, strength }: Pick<Change, 'change' | 'strength'>): string {
  return strength === 0 ? 'unchanged' : `${change} ${strength}`;
}

/** The item under a change, with what the change put in its place. */
export function changedItem(
  change: Change,
  item: BenchmarkItem,
  { before, ...put }: Partial<Pick<BenchmarkItem, 'image' | 'prompt'>> & Pick<ChangedItem, 'before'> = {},
): ChangedItem {
  const name = label(change);
  const id = change.strength === 0 ? item.id : `${item.id}@${change.change}-${change.strength}`;
  return {
    ...change,
    from: item.id,
    item: { ...item, ...put, id, category: name },
    ...(before !== undefined && { before }),
  };
}

/**
 * Where a file of an item under a change is kept, without its extension.
 *
 * @param basis what it was made with beside the item, such as models: of another it is another file
 */
export function keptPlace(
  folder: string,
  { change, strength }: Pick<Change, 'change' | 'strength'>,
  { id }: BenchmarkItem,
  basis = '',
): string {
  const name = id.replace(/[^\w.-]+/g, '-').slice(0, 80);
  const digest = digestOf(basis === '' ? id : [id, basis]).slice(0, 6);
  return join(folder, `${change.replace(/\W+/g, '-')}-${strength}-${name}-${digest}`);
}

/** Writes a picture: the file is whole or absent, so that a run that goes on may trust it. */
export async function savePicture(image: RgbImage, path: string): Promise<void> {
  const bytes = await encodePng(image);
  await writeWhole(path, (draft) => draft.writeFile(bytes));
}

/** What was kept as JSON; made, and kept, where there is nothing yet. */
export async function keptJson<Value>(path: string, make: () => Promise<Value>): Promise<Value> {
  if (await exists(path)) return JSON.parse(await readFile(path, 'utf8')) as Value;
  const value = await make();
  await writeWhole(path, (draft) => draft.writeFile(`${JSON.stringify(value)}\n`));
  return value;
}
