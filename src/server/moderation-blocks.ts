/** What a request keeps back where it is flagged: `moderation.policy` with the mode `block`. */
import { UsageError } from '../errors.js';
import type { EvaluatorsInForce } from '../index.js';
import type { Turn } from '../types/turn.js';
import type { ChatBody } from './chat-schema.js';

export interface Blocks {
  /** Pictures that are flagged are not answered about. */
  readonly input: boolean;
  /** Answers that are flagged are not given out. */
  readonly output: boolean;
}

/** @throws UsageError ERR_INVALID_REQUEST where nobody could say what is to be blocked: it would go out unseen */
export function blocksOf(
  moderation: ChatBody['moderation'],
  turns: readonly Turn[],
  { pictures, answers }: EvaluatorsInForce,
): Blocks {
  const { input, output } = moderation?.policy ?? {};
  const blocks = { input: input?.mode === 'block', output: output?.mode === 'block' };
  const hasPictures = turns.some(({ images = [] }) => images.length > 0);
  if (blocks.input && !(hasPictures && pictures !== null))
    throw invalid(
      'input',
      hasPictures
        ? 'nobody who judges pictures was loaded'
        : 'those who judge here judge pictures and answers, and there is no picture',
    );
  if (blocks.output && answers === null) throw invalid('output', 'nobody who judges answers was loaded');
  return blocks;
}

function invalid(side: string, reason: string): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `request: moderation.policy.${side}.mode: expected 'score', because ${reason}; received 'block'. Leave it out.`,
  );
}
