/** Texts to tokens, off the event loop: refused by their length alone where that tells, and given up as soon as a signal says so. */
import { AbortError, throwIfAborted, UsageError } from '../errors.js';
import type { NativeModel, NativeTextPiece } from '../native/binding-types.js';
import { native } from './native-error.js';

/** Some milliseconds' work. */
const SLICE_BYTES = 2 ** 14;

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
  checkLength(model, pieces, maxTokens); // before megabytes are copied
  if (pieces.length === 0) return new Int32Array(0);
  const { tokens, cancel } = await native(() =>
    model.tokenize(pieces, { isContinued, maxTokens, sliceBytes: SLICE_BYTES }),
  );
  if (signal === undefined) return await native(() => tokens);
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      cancel();
      reject(new AbortError(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([native(() => tokens), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A text has as many bytes as UTF-16 units, or more. */
function checkLength({ facts }: NativeModel, pieces: readonly NativeTextPiece[], maxTokens: number): void {
  if (facts.longestTokenBytes === null) return;
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0);
  const fewest = Math.ceil(length / facts.longestTokenBytes);
  if (fewest <= maxTokens) return;
  throw new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `Expected text of at most ${maxTokens} tokens but received one of at least ${fewest}. Shorten it.`,
  );
}
