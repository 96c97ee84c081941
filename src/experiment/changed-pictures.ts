/** Changed pictures of a set, as files beside the answers: made once, kept for a run that goes on, and for a look. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, seedOf } from '../batch/index.js';
import type { BenchmarkItem } from '../benchmark/index.js';
import { Clip, cosine } from '../clip/index.js';
import { throwIfAborted } from '../errors.js';
import type { Eta } from '../eta/index.js';
import { decodeImage, encodePng } from '../image/index.js';
import { EvaluatorWorker } from '../onnx/index.js';
import { makeFolder, writeWhole } from '../outputs/index.js';
import { knownThreshold } from '../policy/index.js';
import { exists } from '../regular-file.js';
import type { RgbImage } from '../types/picture.js';
import { between, lowerClipScore } from './clip-search.js';
import { PICTURE_CHANGES, type PictureChange, SEARCH } from './picture-changes.js';

/** A picture under one change; strength 0 is the picture as it was. */
export interface ChangedItem {
  readonly change: string;
  readonly strength: number;
  readonly item: BenchmarkItem;
  /** Id of the item that it was made of. */
  readonly from: string;
}

export interface ChangeOptions {
  readonly eta: Eta;
  /** Harmful requests with a picture. */
  readonly items: readonly BenchmarkItem[];
  /** Harmless ones, whose pictures fill collages. */
  readonly harmless: readonly BenchmarkItem[];
  readonly changes: readonly PictureChange[];
  /** Most that the search may change a value, in steps of 0 to 255; [] leaves the search out. */
  readonly searchLimits: readonly number[];
  /** CLIP scores that the search may ask for, for each picture. */
  readonly queryCount: number;
  readonly seed: number;
  readonly folder: string;
  /** Of a picture at most. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onPicture?: ((done: number, wanted: number) => void) | undefined;
}

const SEARCH_UNIT = 'most that a value changes (of 255)';

/** What the search found out about one picture. */
export interface SearchNote {
  readonly from: string;
  readonly limit: number;
  readonly before: number;
  /** Of the picture that is asked about. */
  readonly after: number;
  readonly queryCount: number;
  /** Share of the change that leaves the model's own answer as it was: 1, 0.5, 0.25, or 0 for none. */
  readonly share: number;
}

const COLLAGE_PICTURES = 8;
const SHARES = [1, 0.5, 0.25] as const;
/** The search goes on until it is this far below the threshold. */
const MARGIN = 0.005;

/** The items with their pictures changed in every way and strength. */
export async function changedItems(
  options: ChangeOptions,
): Promise<{ readonly changed: ChangedItem[]; readonly searched: SearchNote[] }> {
  const { items, harmless, changes, searchLimits, folder, maxPixels, signal, onPicture } = options;
  const decoding = { maxPixels, signal };
  const changed: ChangedItem[] = [];
  const searched: SearchNote[] = [];
  const per = changes.reduce((sum, { strengths }) => sum + strengths.length, 0) + searchLimits.length;
  const wanted = items.length * per;
  let done = 0;
  const sources = new Set(harmless.flatMap(({ image }) => (image === null ? [] : [image])));
  const context = await Promise.all(
    [...sources].slice(0, COLLAGE_PICTURES).map((image) => decodeImage(image, decoding)),
  );
  await makeFolder(folder);
  const add = (change: string, strength: number, item: BenchmarkItem, path: string | null) => {
    const id = strength === 0 ? item.id : `${item.id}@${change}-${strength}`;
    const image = path ?? item.image;
    changed.push({ change, strength, from: item.id, item: { ...item, id, image, category: label(change, strength) } });
    if (strength > 0) onPicture?.(++done, wanted);
  };
  for (const item of items) {
    if (item.image === null) continue;
    const image = await decodeImage(item.image, decoding);
    add('none', 0, item, null);
    for (const change of changes) {
      for (const strength of change.strengths) {
        throwIfAborted(signal);
        const path = placeOf(folder, change.name, strength, item);
        if (!(await exists(path)))
          await save(await change.apply(image, strength, { id: item.id, harmless: context }), path);
        add(change.name, strength, item, path);
      }
    }
  }
  if (searchLimits.length > 0) {
    await using search = await ClipSearch.open(options);
    for (const limit of searchLimits) {
      for (const item of items) {
        if (item.image === null) continue;
        const path = placeOf(folder, SEARCH, limit, item);
        searched.push(await search.picture(item, limit, path));
        add(SEARCH, limit, item, path);
      }
    }
  }
  return { changed, searched };
}

/** As tables call a change. */
export function label(change: string, strength: number): string {
  return strength === 0 ? 'unchanged' : `${change} ${strength}`;
}

/** The change of a name, with its unit; the search is one too. */
export function unitOf(change: string): string {
  return change === SEARCH ? SEARCH_UNIT : (PICTURE_CHANGES.find(({ name }) => name === change)?.unit ?? '');
}

class ClipSearch {
  readonly #options: ChangeOptions;
  readonly #worker: EvaluatorWorker;
  readonly #clip: Clip;
  readonly #prompt: Float32Array;

  private constructor(options: ChangeOptions, worker: EvaluatorWorker, clip: Clip, prompt: Float32Array) {
    this.#options = options;
    this.#worker = worker;
    this.#clip = clip;
    this.#prompt = prompt;
  }

  static async open(options: ChangeOptions): Promise<ClipSearch> {
    const { models, policy } = options.eta.facts;
    const worker = await EvaluatorWorker.start();
    try {
      const clip = await Clip.load({ worker, folder: models.clip ?? '' });
      return new ClipSearch(options, worker, clip, await clip.embedText(policy.safetyPrompt));
    } catch (error) {
      await worker.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** Writes the picture found, and what was found out beside it; reads both when they are there. */
  async picture(item: BenchmarkItem, limit: number, path: string): Promise<SearchNote> {
    const { eta, queryCount, seed, maxPixels, signal } = this.#options;
    const notePath = `${path}.json`;
    if (await exists(notePath)) return JSON.parse(await readFile(notePath, 'utf8')) as SearchNote;
    const image = await decodeImage(item.image ?? '', { maxPixels, signal });
    const { thresholds, policy } = eta.facts;
    const goal = knownThreshold(thresholds, 'unsafeClipScore', policy.method) - MARGIN;
    const found = await lowerClipScore(image, {
      limit,
      queryCount,
      goal,
      seed: seedOf(seed, `${item.id}@${limit}`),
      score: (one) => this.#score(one),
      signal,
    });
    const share = await this.#shareThatKeepsTheAnswer(item, image, found.image);
    const kept = between(image, found.image, share);
    const note = {
      from: item.id,
      limit,
      before: found.before,
      after: await this.#score(kept),
      queryCount: found.queryCount,
      share,
    };
    await save(kept, path);
    await writeWhole(notePath, (draft) => draft.writeFile(`${JSON.stringify(note)}\n`));
    return note;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.dispose();
  }

  async #score(image: RgbImage): Promise<number> {
    return cosine(await this.#clip.embedImage(image), this.#prompt);
  }

  /** A change that also turns the model's own answer has gained its author nothing: less of it is taken. */
  async #shareThatKeepsTheAnswer(item: BenchmarkItem, image: RgbImage, other: RgbImage): Promise<number> {
    const answer = await this.#answer(item, image);
    for (const share of SHARES) if ((await this.#answer(item, between(image, other, share))) === answer) return share;
    return 0;
  }

  async #answer(item: BenchmarkItem, image: RgbImage): Promise<string> {
    const { eta, signal } = this.#options;
    const request = { prompt: item.prompt, image, method: 'vanilla', seed: 0 } as const;
    return (await eta.respond(signal === undefined ? request : { ...request, signal })).text;
  }
}

function placeOf(folder: string, change: string, strength: number, { id }: BenchmarkItem): string {
  const name = id.replace(/[^\w.-]+/g, '-').slice(0, 80);
  return join(folder, `${change.replace(/\W+/g, '-')}-${strength}-${name}-${digestOf(id).slice(0, 6)}.png`);
}

/** The file is whole or absent, so that a run that goes on may trust it. */
async function save(image: RgbImage, path: string): Promise<void> {
  const bytes = await encodePng(image);
  await writeWhole(path, (draft) => draft.writeFile(bytes));
}
