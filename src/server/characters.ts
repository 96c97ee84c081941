/** How much text a request may hold: told by counting, before any of it is tokenized. */
import { UsageError } from '../errors.js';
import type { Turn } from '../types/turn.js';

/** @throws UsageError ERR_PROMPT_TOO_LONG */
export function checkCharacters(turns: readonly Turn[], most: number): void {
  const count = turns.reduce((sum, { text }) => sum + text.length, 0);
  if (count <= most) return;
  throw new UsageError(
    'ERR_PROMPT_TOO_LONG',
    `request: expected texts of at most ${most} characters in all, received ${count}. Shorten them.`,
  );
}
