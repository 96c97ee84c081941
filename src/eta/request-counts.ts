/** How much a request may hold: told by counting, before any of it is looked at. */
import { checkTurnCount } from '../engine/index.js';
import { UsageError } from '../errors.js';

/** Pictures of a request, in all its turns: each takes tokens, and no context holds as many. */
const MOST_PICTURES = 1024;

/**
 * Checks the lengths alone of what stands where turns and pictures do; what else is wrong with it, the request's schema
 * tells.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG for the turns, ERR_INVALID_REQUEST for the pictures
 */
export function checkCounts(request: unknown): void {
  const { images, turns } = (request ?? {}) as { readonly images?: unknown; readonly turns?: unknown };
  checkTurnCount(turns);
  let pictureCount = countOf(images);
  if (Array.isArray(turns)) {
    for (const turn of turns)
      pictureCount += countOf((turn as { readonly images?: unknown } | null | undefined)?.images);
  }
  if (pictureCount <= MOST_PICTURES) return;
  throw new UsageError(
    'ERR_INVALID_REQUEST',
    `request: images: expected at most ${MOST_PICTURES} pictures, received ${pictureCount}. Show fewer.`,
  );
}

function countOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
