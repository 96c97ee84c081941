/** The search for a picture that CLIP takes for safe, run on the items of a set. */

import { type BatchSettings, digestOf, seedOf } from '../batch/index.js';
import type { BenchmarkItem } from '../benchmark/index.js';
import { Clip, cosine } from '../clip/index.js';
import type { Eta } from '../eta/index.js';
import { decodeImage } from '../image/index.js';
import { EvaluatorWorker } from '../onnx/index.js';
import { knownThreshold } from '../policy/index.js';
import type { RgbImage } from '../types/picture.js';
import { keptJson, type PicturedItem, savePicture } from './changed-item.js';
import { between, lowerClipScore } from './clip-search.js';

export const SEARCH_UNIT = 'most that a value changes (of 255)';

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

export interface PictureSearchOptions {
  readonly eta: Eta;
  /** What answers and scores depend on: what was found with other models, or otherwise, is not taken for this. */
  readonly settings: BatchSettings;
  /** CLIP scores that it may ask for, for each picture. */
  readonly queryCount: number;
  readonly seed: number;
  /** Of a picture at most. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const SHARES = [1, 0.5, 0.25] as const;
/** The search goes on until it is this far below the threshold. */
const MARGIN = 0.005;

export class PictureSearch {
  readonly #options: PictureSearchOptions;
  readonly #worker: EvaluatorWorker;
  readonly #clip: Clip;
  readonly #prompt: Float32Array;

  private constructor(options: PictureSearchOptions, worker: EvaluatorWorker, clip: Clip, prompt: Float32Array) {
    this.#options = options;
    this.#worker = worker;
    this.#clip = clip;
    this.#prompt = prompt;
  }

  static async open(options: PictureSearchOptions): Promise<PictureSearch> {
    const { models, policy } = options.eta.facts;
    const worker = await EvaluatorWorker.start();
    try {
      const clip = await Clip.load({ worker, folder: models.clip ?? '' });
      return new PictureSearch(options, worker, clip, await clip.embedText(policy.safetyPrompt));
    } catch (error) {
      await worker.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** What a picture found depends on. */
  get basis(): string {
    const { settings, queryCount, seed } = this.#options;
    return digestOf({ settings, queryCount, seed });
  }

  /** Writes the picture found, and what was found out beside it; reads both when they are there. */
  async picture(item: PicturedItem, limit: number, path: string): Promise<SearchNote> {
    return await keptJson(`${path}.json`, async () => await this.#found(item, limit, path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.dispose();
  }

  async #found(item: PicturedItem, limit: number, path: string): Promise<SearchNote> {
    const { eta, queryCount, seed, maxPixels, signal } = this.#options;
    const image = await decodeImage(item.image, { maxPixels, signal });
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
    await savePicture(kept, path);
    return {
      from: item.id,
      limit,
      before: found.before,
      after: await this.#score(kept),
      queryCount: found.queryCount,
      share,
    };
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
