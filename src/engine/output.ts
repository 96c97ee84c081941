/** What a context keeps of a sequence's last token decides what may be asked of it: types say so, and JavaScript is told. */
import { UsageError } from '../errors.js';
import type { NativeContext, NativeHiddenStateContext, NativeLogitsContext } from '../native/context-types.js';

/** Of a sequence's last token: its logits, or its hidden state, from which no tokens are drawn. */
export type Output = NativeContext['output'];

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

function refusal(expected: Output, kept: string): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `Expected a context with output '${expected}', received one that keeps ${kept}. Create another one.`,
  );
}
