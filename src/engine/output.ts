/** What a context keeps of a sequence's last token decides what may be asked of it. */
import { UsageError } from '../errors.js';
import type { NativeContext, NativeHiddenStateContext, NativeLogitsContext } from '../native/binding-types.js';

/** @throws UsageError ERR_INVALID_REQUEST */
export function withLogits(context: NativeContext): NativeLogitsContext {
  if (context.output === 'logits') return context;
  throw refusal('logits', 'hidden states, from which no tokens are drawn');
}

/** @throws UsageError ERR_INVALID_REQUEST */
export function withHiddenState(context: NativeContext): NativeHiddenStateContext {
  if (context.output === 'hidden-state') return context;
  throw refusal('hidden-state', 'logits');
}

function refusal(expected: NativeContext['output'], kept: string): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `Expected a context with output '${expected}', received one that keeps ${kept}. Create another one.`,
  );
}
