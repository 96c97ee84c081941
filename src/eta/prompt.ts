/** What a request shows the language model: its pictures encoded, its conversation as a prompt. */
import type {
  BorrowedImage,
  Context,
  EncodedImages,
  Model,
  NativeImage,
  NativePart,
  PromptTurn,
} from '../engine/index.js';
import { UsageError } from '../errors.js';
import type { KnownPicture } from '../known-picture.js';
import type { PictureForm } from '../types/picture.js';
import type { Turn } from '../types/turn.js';
import { largestPrompt, type Room, shortening } from './allotment.js';
import type { DecodedPictures } from './decoded-pictures.js';
import type { Measures } from './measures.js';

export interface PromptOptions {
  readonly model: Model;
  readonly context: Context;
  readonly images: EncodedImages;
  readonly turns: readonly Turn[];
  /** Those of all turns, in order. */
  readonly pictures: DecodedPictures;
  readonly measures: Measures;
  /** What is shown of them. */
  readonly pictureForm: PictureForm;
  /** Whether pictures may be taken from what earlier requests left. */
  readonly reuse: boolean;
  readonly signal: AbortSignal;
}

/** A conversation with its pictures encoded. */
export interface Shown {
  readonly turns: readonly PromptTurn[];
  /** Tokens of its pictures. */
  readonly imageCount: number;
  readonly room: Room;
  /** Tokens that its text may have. */
  readonly maxTextTokens: number;
  /** @throws UsageError ERR_PROMPT_TOO_LONG; what {@link Model.prompt} throws */
  prompt(turns: readonly PromptTurn[]): Promise<NativePart[]>;
}

/**
 * Gives `work` the conversation with its pictures; they are let go when it has ended.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG, ModelError ERR_NO_PROJECTOR, AbortError, EngineError; what the work throws
 */
export async function showing<Value>(options: PromptOptions, work: (shown: Shown) => Promise<Value>): Promise<Value> {
  const { model, context, turns, signal } = options;
  const encoded: BorrowedImage[] = [];
  const room: Room = { cellCount: context.facts.cellCount, trainedContextLength: model.facts.trainedContextLength };
  try {
    const imageCount = await encodeAll(options, room, encoded);
    const maxTextTokens = largestPrompt(room) - imageCount;
    let taken = 0;
    const shown = turns.map(({ role, text, images = [] }) => {
      const begin = taken;
      taken += images.length;
      return { role, text, images: encoded.slice(begin, taken).map(({ image }) => image) };
    });
    const prompt = (asked: readonly PromptTurn[]) =>
      model.prompt(asked, { maxTokens: maxTextTokens, signal }).catch((cause: unknown) => {
        throw isTooLong(cause) ? tooLong(maxTextTokens, room, cause) : cause;
      });
    return await work({ turns: shown, imageCount, room, maxTextTokens, prompt });
  } finally {
    for (const image of encoded) image.release(); // the cache holds what was read of them
  }
}

/** Tokens of a prompt, its pictures' included. */
export function tokensIn(prompt: readonly NativePart[]): number {
  return prompt.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);
}

/**
 * Encodes every picture, in order, into `encoded`, which holds what there is when it throws.
 *
 * @returns their tokens in all
 * @throws UsageError ERR_PROMPT_TOO_LONG with the first picture that leaves no room; what decoding and encoding throw
 */
async function encodeAll(options: PromptOptions, room: Room, encoded: BorrowedImage[]): Promise<number> {
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
async function encode(
  { model, images, pictureForm: form, reuse, signal }: PromptOptions,
  picture: KnownPicture,
): Promise<BorrowedImage> {
  if (reuse) return await images.borrow(picture, { form, signal });
  const rows: NativeImage = await model.encodeImage(await picture.pixels(), { signal });
  if (form === 'rows') return { image: rows, release: () => rows.dispose() };
  const image = await model.nearestText(rows, { signal }).finally(() => rows.dispose());
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
