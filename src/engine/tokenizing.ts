/** Texts to tokens, off the event loop, and given up as soon as a signal says so. */
import { onAbort, orAbort } from '../abort.js';
import { throwIfAborted } from '../errors.js';
import type { NativeModel, NativeTextPiece } from '../native/model-types.js';
import { native } from './native-error.js';

/** Less than a millisecond's work. llama.cpp takes quadratic time within it for characters that fall back to bytes. */
const SLICE_BYTES = 2 ** 11;

/** The addon counts in 32 bits. */
export const MOST_TOKENS = 2 ** 31 - 1;

export interface TokenizingOptions {
  /** Whether the first piece stands behind other text. @default false */
  readonly isContinued?: boolean | undefined;
  /** @default 2^31 - 1 */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tokens of texts that stand one behind the other.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG for more than `maxTokens`; AbortError at once
 */
export async function tokensOf(
  model: NativeModel,
  pieces: readonly NativeTextPiece[],
  { isContinued = false, maxTokens = MOST_TOKENS, signal }: TokenizingOptions,
): Promise<Int32Array> {
  throwIfAborted(signal);
  if (pieces.length === 0) return new Int32Array(0);
  const { tokens, cancel } = await native(() =>
    model.tokenize(pieces, { isContinued, maxTokens, sliceBytes: SLICE_BYTES }),
  );
  const takeBack = onAbort(signal, cancel);
  return await orAbort(
    native(() => tokens),
    signal,
  ).finally(takeBack);
}
