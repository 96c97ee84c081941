/** Reading the question: pictures encoded, the prompt built, room reserved, everything prefilled. */
import type { Context, Lease, Model, Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { METHOD_PLANS, type Policy } from '../policy/index.js';
import type { Turn } from '../types.js';
import { type Allotment, allot, largestPrompt, type Room, shortening } from './allotment.js';
import type { DecodedPictures } from './decoded-pictures.js';
import type { Measures } from './measures.js';
import { prefixTokens } from './prefix-tokens.js';

export interface QuestionOptions {
  readonly model: Model;
  readonly context: Context;
  readonly policy: Policy;
  readonly turns: readonly Turn[];
  /** Those of all turns, in order. */
  readonly pictures: DecodedPictures;
  readonly measures: Measures;
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

type EncodedPicture = Awaited<ReturnType<Model['encodeImage']>>;

/**
 * Frees what it holds when it throws; afterwards the lease is the caller's to release.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG, ModelError ERR_NO_PROJECTOR, AbortError, EngineError
 */
export async function readQuestion(options: QuestionOptions): Promise<Question> {
  const { model, context, policy, turns, measures, signal } = options;
  const encoded: EncodedPicture[] = [];
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
      return { role, text, images: encoded.slice(begin, taken) };
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
    lease = await context.reserve(demand, signal);
    const root = await lease.createSequence();
    await measures.time('prefillMs', () => root.prefill(prompt, { signal }));
    return { root, lease, maxTokens, roomTokens, prefixTokens: prefix };
  } catch (error) {
    await lease?.release().catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    for (const image of encoded) image.dispose(); // the cache holds what was read of them
  }
}

/**
 * Encodes every picture, in order, into `encoded`, which holds what there is when it throws.
 *
 * @returns their tokens in all
 * @throws UsageError ERR_PROMPT_TOO_LONG with the first picture that leaves no room; what decoding and encoding throw
 */
async function encodeAll(
  { model, pictures, measures, signal }: QuestionOptions,
  room: Room,
  encoded: EncodedPicture[],
): Promise<number> {
  const most = largestPrompt(room);
  const { count } = pictures;
  if (count >= most) throw tooManyPictures(most, `${count} pictures`, room); // of a token at least
  let tokenCount = 0;
  while (encoded.length < count) {
    const image = await measures.time('imageDecodeMs', () => pictures.at(encoded.length));
    const one = await measures.time('prefillMs', () => model.encodeImage(image, { signal }));
    encoded.push(one);
    tokenCount += one.tokenCount;
    if (tokenCount >= most) {
      const first = encoded.length < count ? `, the first ${encoded.length} of` : ' of';
      throw tooManyPictures(most, `${count} pictures${first} ${tokenCount} tokens`, room);
    }
  }
  return tokenCount;
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
