/** Reading the question: pictures encoded, the prompt built, room reserved, everything prefilled. */
import type { Context, Lease, Model, Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import type { RgbImage, Turn } from '../types.js';
import { type Allotment, allot, largestPrompt, type Room, shortening } from './allotment.js';
import type { Policy } from './defaults.js';
import type { Measures } from './measures.js';
import { METHOD_PLANS } from './methods.js';
import { prefixTokens } from './prefix-tokens.js';

export interface QuestionOptions {
  readonly model: Model;
  readonly context: Context;
  readonly policy: Policy;
  readonly turns: readonly Turn[];
  /** Decoded pictures, turn by turn. */
  readonly images: readonly (readonly RgbImage[])[];
  readonly measures: Measures;
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
  const { model, context, policy, turns, measures, signal } = options;
  const encoded: Awaited<ReturnType<Model['encodeImage']>>[] = [];
  let lease: Lease | undefined;
  try {
    const asked: { role: Turn['role']; text: string; images: typeof encoded }[] = [];
    for (const [index, { role, text }] of turns.entries()) {
      const images: typeof encoded = [];
      for (const image of options.images[index] ?? []) {
        const one = await measures.time('prefillMs', () => model.encodeImage(image, { signal }));
        encoded.push(one);
        images.push(one);
      }
      asked.push({ role, text, images });
    }
    const imageCount = encoded.reduce((sum, image) => sum + image.tokenCount, 0);
    const room = {
      cellCount: context.facts.cellCount,
      trainedContextLength: model.facts.trainedContextLength,
    };
    const maxTextTokens = Math.max(0, largestPrompt(room) - imageCount);
    const prompt = await model.prompt(asked, { maxTokens: maxTextTokens, signal }).catch((cause: unknown) => {
      throw isTooLong(cause) ? tooLong(maxTextTokens, room, cause) : cause;
    });
    const textCount = prompt.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : 0), 0);
    measures.add('imageTokenCount', imageCount);
    measures.add('promptTokenCount', imageCount + textCount);
    const prefix = METHOD_PLANS[policy.method].usesPrefix
      ? await prefixTokens(model, prompt, policy.interferencePrefix, { maxTokens: maxTextTokens, signal })
      : new Int32Array(0);
    const { maxTokens, roomTokens, ...demand }: Allotment = allot(policy, room, imageCount + textCount, prefix.length);
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

function isTooLong(error: unknown): boolean {
  return error instanceof UsageError && error.code === 'ERR_PROMPT_TOO_LONG';
}

function tooLong(maxTextTokens: number, room: Room, cause: unknown): UsageError {
  return new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `request: expected a text of at most ${maxTextTokens} tokens, received a longer one. ${shortening(room)}`,
    { cause },
  );
}
