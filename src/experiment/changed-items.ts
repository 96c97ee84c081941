/** The requests of a set under every change: pictures and turns are made once, kept for a run that goes on, and for a look. */

import type { BenchmarkItem } from '../benchmark/index.js';
import { throwIfAborted } from '../errors.js';
import { decodeImage } from '../image/index.js';
import { makeFolder } from '../outputs/index.js';
import { exists } from '../regular-file.js';
import type { RgbImage } from '../types/picture.js';
import type { Turn } from '../types/turn.js';
import {
  type Change,
  type ChangedItem,
  changedItem,
  keptJson,
  keptPlace,
  savePicture,
  UNCHANGED,
} from './changed-item.js';
import { type ChosenChanges, SEARCH } from './chosen-changes.js';
import { attacksOn, type MadeAttacks } from './made-attacks.js';
import { PictureSearch, type PictureSearchOptions, SEARCH_UNIT, type SearchNote } from './picture-search.js';
import { HURRY, hurried, turnsBefore } from './request-changes.js';

export interface ChangeOptions extends PictureSearchOptions {
  /** Harmful requests with a picture. */
  readonly items: readonly BenchmarkItem[];
  /** Harmless ones, whose pictures fill collages and stand beside others. */
  readonly harmless: readonly BenchmarkItem[];
  readonly changes: ChosenChanges;
  /** Pictures that were changed elsewhere; null: none were. */
  readonly attacks: MadeAttacks | null;
  /** Most that the search may change a value, in steps of 0 to 255. */
  readonly searchLimits: readonly number[];
  /** Of what is made. */
  readonly folder: string;
  /** Told of each item, once nothing is left to be made of it. */
  readonly onItem?: ((done: number, wanted: number) => void) | undefined;
}

export interface ChangedItems {
  /** An item under all its changes before the next. */
  readonly changed: readonly ChangedItem[];
  readonly searched: readonly SearchNote[];
}

const COLLAGE_PICTURES = 8;

/** The items under every change and strength, each as it was first. */
export async function changedItems(options: ChangeOptions): Promise<ChangedItems> {
  const { items, harmless, changes, folder, maxPixels, signal, onItem } = options;
  const sources = [...new Set(harmless.flatMap(({ image }) => image ?? []))].slice(0, COLLAGE_PICTURES);
  const others = await Promise.all(sources.map((image) => decodeImage(image, { maxPixels, signal })));
  await makeFolder(folder);
  const changed: ChangedItem[] = [];
  const searched: SearchNote[] = [];
  await using search = changes.isSearched ? await PictureSearch.open(options) : null;
  for (const [done, item] of items.entries()) {
    throwIfAborted(signal);
    changed.push(changedItem(UNCHANGED, item));
    changed.push(...(await withPictures(item, others, options)), ...(await withRequests(item, options)));
    changed.push(...(await withAttacks(item, options)));
    for (const strength of search === null ? [] : options.searchLimits) {
      const change: Change = { change: SEARCH, unit: SEARCH_UNIT, strength };
      const image = `${keptPlace(folder, change, item)}.png`;
      searched.push(await (search as PictureSearch).picture(item, strength, image));
      changed.push(changedItem(change, item, { image }));
    }
    onItem?.(done + 1, items.length);
  }
  return { changed, searched };
}

async function withPictures(
  item: BenchmarkItem,
  harmless: readonly RgbImage[],
  { changes, folder, maxPixels, signal }: ChangeOptions,
): Promise<ChangedItem[]> {
  if (item.image === null || changes.pictures.length === 0) return [];
  const found: ChangedItem[] = [];
  const original = await decodeImage(item.image, { maxPixels, signal });
  for (const { name, unit, strengths, apply } of changes.pictures) {
    for (const strength of strengths) {
      throwIfAborted(signal);
      const change: Change = { change: name, unit, strength };
      const image = `${keptPlace(folder, change, item)}.png`;
      if (!(await exists(image))) await savePicture(await apply(original, strength, { id: item.id, harmless }), image);
      found.push(changedItem(change, item, { image }));
    }
  }
  return found;
}

async function withRequests(item: BenchmarkItem, options: ChangeOptions): Promise<ChangedItem[]> {
  const found: ChangedItem[] = [];
  for (const { name, unit, strengths, apply } of options.changes.requests) {
    for (const strength of strengths) {
      const change: Change = { change: name, unit, strength };
      const { prompt, before: questions } = apply(item.prompt, strength);
      const place = `${keptPlace(options.folder, change, item)}.json`;
      const images = item.image === null ? [] : [item.image];
      const answers = questions.length === 0 ? [] : await keptJson(place, () => ownAnswers(questions, images, options));
      const put = questions.length === 0 ? {} : { before: turnsBefore(questions, answers, images) };
      found.push(changedItem(change, item, { prompt, ...put }));
    }
  }
  return found;
}

/** As they were made, and with words that hurry the answer if those are tried too. */
async function withAttacks(item: BenchmarkItem, { changes, attacks, signal }: ChangeOptions): Promise<ChangedItem[]> {
  if (item.image === null || attacks === null) return [];
  const made = await attacksOn(item.image, attacks, signal);
  const isHurried = changes.requests.some(({ name }) => name === HURRY);
  return made.flatMap(({ picture: image, ...change }) => [
    changedItem(change, item, { image }),
    ...(isHurried
      ? [
          changedItem({ ...change, change: `${change.change} + ${HURRY}` }, item, {
            image,
            prompt: hurried(item.prompt, 1),
          }),
        ]
      : []),
  ]);
}

/** What the model itself says to each of the questions, one after the other. */
async function ownAnswers(
  questions: readonly string[],
  images: NonNullable<Turn['images']>,
  { eta, signal }: ChangeOptions,
): Promise<string[]> {
  const answers: string[] = [];
  for (let asked = 1; asked <= questions.length; asked++) {
    const turns = turnsBefore(questions.slice(0, asked), answers, images);
    const { text } = await eta.respond({ turns, method: 'vanilla', seed: 0, ...(signal !== undefined && { signal }) });
    answers.push(text);
  }
  return answers;
}
