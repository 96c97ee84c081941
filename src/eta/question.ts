/** Reading the question: pictures encoded, the prompt built, room reserved, everything prefilled. */
import type { BorrowedImage, Context, EncodedImages, Lease, Model, NativeImage, Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { METHOD_PLANS, type Policy } from '../policy/index.js';
import type { RgbImage, Turn } from '../types.js';
import { type Allotment, allot, largestPrompt, type Room, shortening } from './allotment.js';
import type { DecodedPictures } from './decoded-pictures.js';
import type { Measures } from './measures.js';
import { prefixTokens } from './prefix-tokens.js';

export interface QuestionOptions {
  readonly model: Model;
  readonly context: Context;
  readonly images: EncodedImages;
  readonly policy: Policy;
  readonly turns: readonly Turn[];
  /** Those of all turns, in order. */
  readonly pictures: DecodedPictures;
  readonly measures: Measures;
  /** Whether to start from what earlier requests left. */
  readonly reuse: boolean;
  /** Tokens that the language model is asked about each answer of its own. */
  readonly askedCount: number;
  readonly signal: AbortSignal;
}

/** A question that the model has read. */
export interface Question {
  /** Holds the whole prompt, with its logits; what is forked from it shares its cells. */
  readonly root: Sequence;
  /** Holds every sequence of the request. */
  readonly lease: Lease;
  readonly maxTokens: number;
  readonly roomTokens: number;
  /** Empty for a method that aligns without the interference prefix. */
  readonly prefixTokens: Int32Array;
}

/**
 * Frees what it holds when it throws; afterwards the lease is the caller's to release.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG, ModelError ERR_NO_PROJECTOR, AbortError, EngineError
 */
export async function readQuestion(options: QuestionOptions): Promise<Question> {
  const { model, context, policy, turns, measures, reuse, signal } = options;
  const encoded: BorrowedImage[] = [];
  let lease: Lease | undefined;
  const room: Room = {
    cellCount: context.facts.cellCount,
    trainedContextLength: model.facts.trainedContextLength,
  };
  const most = largestPrompt(room);
  try {
    const imageCount = await encodeAll(options, room, encoded);
    let taken = 0;
    const asked = turns.map(({ role, text, images = [] }) => {
      const begin = taken;
      taken += images.length;
      return { role, text, images: encoded.slice(begin, taken).map(({ image }) => image) };
    });
    const maxTextTokens = most - imageCount;
    const prompt = await model.prompt(asked, { maxTokens: maxTextTokens, signal }).catch((cause: unknown) => {
      throw isTooLong(cause) ? tooLong(maxTextTokens, room, cause) : cause;
    });
    const textCount = prompt.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : 0), 0);
    measures.add('imageTokenCount', imageCount);
    measures.add('promptTokenCount', imageCount + textCount);
    const prefix = METHOD_PLANS[policy.method].usesPrefix
      ? await prefixTokens(model, prompt, policy.interferencePrefix, { maxTokens: maxTextTokens, signal })
      : new Int32Array(0);
    const { maxTokens, roomTokens, ...demand }: Allotment = allot(
      policy,
      room,
      imageCount + textCount,
      prefix.length,
      options.askedCount,
    );
    const begun = await context.begin(prompt, demand, { signal, reuse });
    const { sequence: root, rest, cachedTokenCount } = begun;
    lease = begun.lease;
    measures.add('cachedTokenCount', cachedTokenCount);
    if (rest.length > 0) await measures.time('prefillMs', () => root.prefill(rest, { signal }));
    return { root, lease, maxTokens, roomTokens, prefixTokens: prefix };
  } catch (error) {
    await lease?.release().catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    for (const image of encoded) image.release(); // the cache holds what was read of them
  }
}

/**
 * Encodes every picture, in order, into `encoded`, which holds what there is when it throws.
 *
 * @returns their tokens in all
 * @throws UsageError ERR_PROMPT_TOO_LONG with the first picture that leaves no room; what decoding and encoding throw
 */
async function encodeAll(options: QuestionOptions, room: Room, encoded: BorrowedImage[]): Promise<number> {
  const { pictures, measures } = options;
  const most = largestPrompt(room);
  const { count } = pictures;
  if (count >= most) throw tooManyPictures(most, `${count} pictures`, room); // of a token at least
  let tokenCount = 0;
  while (encoded.length < count) {
    const image = await measures.time('imageDecodeMs', () => pictures.at(encoded.length));
    const one = await measures.time('prefillMs', () => encode(options, image));
    encoded.push(one);
    tokenCount += one.image.tokenCount;
    if (tokenCount >= most) {
      const first = encoded.length < count ? `, the first ${encoded.length} of` : ' of';
      throw tooManyPictures(most, `${count} pictures${first} ${tokenCount} tokens`, room);
    }
  }
  return tokenCount;
}

/** One that is kept for others, or one of its own. */
async function encode({ model, images, reuse, signal }: QuestionOptions, picture: RgbImage): Promise<BorrowedImage> {
  if (reuse) return await images.borrow(picture, { signal });
  const image: NativeImage = await model.encodeImage(picture, { signal });
  return { image, release: () => image.dispose() };
}

function isTooLong(error: unknown): boolean {
  return error instanceof UsageError && error.code === 'ERR_PROMPT_TOO_LONG';
}

/** Refused as soon as it is known: the text takes one token at least. */
function tooManyPictures(most: number, received: string, room: Room): UsageError {
  return new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `request: expected pictures of less than ${most} tokens in all, received ${received}. ${shortening(room)}`,
  );
}

function tooLong(maxTextTokens: number, room: Room, cause: unknown): UsageError {
  return new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `request: expected a text of at most ${maxTextTokens} tokens, received a longer one. ${shortening(room)}`,
    { cause },
  );
}
