/** How much a request may hold: told by counting, before any of it is looked at. */
import { UsageError } from '../errors.js';

/** Pictures of a request, in all its turns: each takes tokens, and no context holds as many. */
export const MOST_PICTURES = 1024;

/** Turns of a conversation. */
export const MOST_TURNS = 10_000;

/**
 * Checks the lengths alone of what stands where turns and pictures do; what else is wrong with it, the request's schema
 * tells.
 *
 * @throws UsageError ERR_INVALID_REQUEST
 */
export function checkCounts(request: unknown): void {
  const { images, turns } = (request ?? {}) as { readonly images?: unknown; readonly turns?: unknown };
  const turnCount = countOf(turns);
  if (turnCount > MOST_TURNS)
    throw tooMany('turns', `at most ${MOST_TURNS} turns, received ${turnCount}. Shorten the conversation`);
  let pictureCount = countOf(images);
  if (Array.isArray(turns)) {
    for (const turn of turns)
      pictureCount += countOf((turn as { readonly images?: unknown } | null | undefined)?.images);
  }
  if (pictureCount > MOST_PICTURES)
    throw tooMany('images', `at most ${MOST_PICTURES} pictures, received ${pictureCount}. Show fewer`);
}

function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function tooMany(name: string, message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${name}: expected ${message}.`);
}
