/** What a caller gives to be read: tokens and pictures, looked at before anything is reserved or queued. */
import { UsageError } from '../errors.js';
import type { NativePart } from '../native/context-types.js';
import { describe } from '../options.js';

/**
 * Tokens as copies, so that the caller may change his own, and pictures; empty ones left out. What the addon can tell better
 * (a token beyond the vocabulary, a picture of another model) it tells when they are read.
 *
 * @throws UsageError ERR_INVALID_REQUEST
 */
export function takeParts(parts: readonly NativePart[]): NativePart[] {
  if (!Array.isArray(parts)) {
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `Expected an array of tokens and pictures, received ${describe(parts)}.`,
    );
  }
  return Array.from(parts, takePart).filter((part) => !(part instanceof Int32Array && part.length === 0));
}

function takePart(part: NativePart, at: number): NativePart {
  if (part instanceof Int32Array) return part.slice();
  if (typeof part === 'object' && part !== null && Number.isInteger(part.tokenCount)) return part;
  throw new UsageError(
    'ERR_INVALID_REQUEST',
    `parts[${at}]: expected tokens (an Int32Array) or a picture that encodeImage gave, received ${describe(part)}.`,
  );
}
