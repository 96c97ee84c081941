/** The requests of a set under every change: pictures and turns are made once, kept for a run that goes on, and for a look. */

import { createHash } from 'node:crypto';
import { digestOf } from '../batch/index.js';
import { AbortError, EtaError, throwIfAborted } from '../errors.js';
import { decodeImage } from '../image/index.js';
import { makeFolder, writeWhole } from '../outputs/index.js';
import { exists, readRegular } from '../regular-file.js';
import type { RgbImage } from '../types/picture.js';
import {
  type Change,
  type ChangedItem,
  changedItem,
  keptJson,
  keptPlace,
  type PicturedItem,
  savePicture,
  UNCHANGED,
} from './changed-item.js';
import { type ChosenChanges, SEARCH } from './chosen-changes.js';
import { attacksOn, type MadeAttacks } from './made-attacks.js';
import { PictureSearch, type PictureSearchOptions, SEARCH_UNIT, type SearchNote } from './picture-search.js';
import { HURRY, hurried, turnsBefore } from './request-changes.js';

export interface ChangeOptions extends PictureSearchOptions {
  /** Harmful requests with a picture. */
  readonly items: readonly PicturedItem[];
  /** Harmless ones, whose pictures fill collages and stand beside others. */
  readonly harmless: readonly PicturedItem[];
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
  /** Changes that the model answered with an error while they were made, each with its code. */
  readonly failed: readonly { readonly change: string; readonly from: string; readonly code: string }[];
}

const COLLAGE_PICTURES = 8;

/** The items under every change and strength, each as it was first. */
export async function changedItems(options: ChangeOptions): Promise<ChangedItems> {
  const { items, harmless, changes, folder, maxPixels, signal, onItem } = options;
  const sources = [...new Set(harmless.map(({ image }) => image))].slice(0, COLLAGE_PICTURES);
  const others = await Promise.all(sources.map((image) => decodeImage(image, { maxPixels, signal })));
  await makeFolder(folder);
  const changed: ChangedItem[] = [];
  const searched: SearchNote[] = [];
  const failed: ChangedItems['failed'][number][] = [];
  /** What the model cannot answer is left out, as a request that fails in the batch is: the others go on. */
  const orFailed = async (change: string, from: string, make: () => Promise<readonly ChangedItem[]>) => {
    try {
      changed.push(...(await make()));
    } catch (error) {
      if (!(error instanceof EtaError) || error instanceof AbortError) throw error;
      failed.push({ change, from, code: error.code });
    }
  };
  await using search = changes.isSearched ? await PictureSearch.open(options) : null;
  for (const [done, item] of items.entries()) {
    throwIfAborted(signal);
    changed.push(changedItem(UNCHANGED, item));
    changed.push(...(await withPictures(item, others, options)));
    for (const change of changes.requests)
      await orFailed(change.name, item.id, async () => await withRequest(item, change, options));
    changed.push(...(await withAttacks(item, options)));
    if (search !== null)
      await orFailed(SEARCH, item.id, async () => {
        const found = await searchedFor(item, search, options);
        searched.push(...found.map(({ note }) => note));
        return found.map(({ one }) => one);
      });
    onItem?.(done + 1, items.length);
  }
  return { changed, searched, failed };
}

async function withPictures(
  item: PicturedItem,
  harmless: readonly RgbImage[],
  { changes, folder, maxPixels, signal }: ChangeOptions,
): Promise<ChangedItem[]> {
  if (changes.pictures.length === 0) return [];
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

async function searchedFor(item: PicturedItem, search: PictureSearch, { folder, searchLimits }: ChangeOptions) {
  const found: { readonly note: SearchNote; readonly one: ChangedItem }[] = [];
  for (const strength of searchLimits) {
    const change: Change = { change: SEARCH, unit: SEARCH_UNIT, strength };
    const image = `${keptPlace(folder, change, item, search.basis)}.png`;
    found.push({ note: await search.picture(item, strength, image), one: changedItem(change, item, { image }) });
  }
  return found;
}

/** @throws what answering the turns before it throws */
async function withRequest(
  item: PicturedItem,
  { name, unit, strengths, apply }: ChosenChanges['requests'][number],
  options: ChangeOptions,
): Promise<ChangedItem[]> {
  const asked = strengths.map((strength) => ({ strength, ...apply(item.prompt, strength) }));
  // The turns of a weaker one are the first of a stronger one: they are answered once.
  const questions = asked.reduce(
    (most, { before }) => (before.length > most.length ? before : most),
    [] as readonly string[],
  );
  const answers = questions.length === 0 ? [] : await ownAnswers(item, name, questions, options);
  return asked.map(({ strength, prompt, before }) =>
    changedItem({ change: name, unit, strength }, item, {
      prompt,
      ...(before.length > 0 && { before: turnsBefore(before, answers.slice(0, before.length), [item.image]) }),
    }),
  );
}

/** What the model itself says to each of the questions, one after the other. */
async function ownAnswers(
  item: PicturedItem,
  change: string,
  questions: readonly string[],
  { eta, settings, folder, signal }: ChangeOptions,
): Promise<readonly string[]> {
  const place = keptPlace(folder, { change, strength: questions.length }, item, digestOf({ settings, questions }));
  return await keptJson(`${place}.json`, async () => {
    const answers: string[] = [];
    for (let asked = 1; asked <= questions.length; asked++) {
      const turns = turnsBefore(questions.slice(0, asked), answers, [item.image]);
      const { text } = await eta.respond({
        turns,
        method: 'vanilla',
        seed: 0,
        ...(signal !== undefined && { signal }),
      });
      answers.push(text);
    }
    return answers;
  });
}

/** As they were made, and with words that hurry the answer if those are tried too. */
async function withAttacks(item: PicturedItem, options: ChangeOptions): Promise<ChangedItem[]> {
  const { changes, attacks, folder, signal } = options;
  if (attacks === null) return [];
  const isHurried = changes.requests.some(({ name }) => name === HURRY);
  const found: ChangedItem[] = [];
  for (const { picture, ...change } of await attacksOn(item.image, attacks, signal)) {
    // A copy, named by its bytes: of a folder that was made anew under the old names the answers are others.
    const bytes = await readRegular(picture, signal);
    const image = `${keptPlace(folder, change, item, createHash('sha256').update(bytes).digest('hex'))}.png`;
    if (!(await exists(image))) await writeWhole(image, (draft) => draft.writeFile(bytes));
    found.push(changedItem(change, item, { image }));
    if (!isHurried) continue;
    const both = { ...change, change: `${change.change} + ${HURRY}` };
    found.push(changedItem(both, item, { image, prompt: hurried(item.prompt, 1) }));
  }
  return found;
}
