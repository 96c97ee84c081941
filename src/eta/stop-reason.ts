/** Why an answer ends: by itself, by a stop text, or by which limit. */
import type { StopReason } from '../types/stop-reason.js';

/** An answer as far as its end goes. */
export interface Made {
  /** Without the interference prefix. */
  readonly tokenCount: number;
  /** Whether the model ended it. */
  readonly isEnded: boolean;
  /** Whether a stop text did. */
  readonly isStopped: boolean;
}

/** @param maxTokens as asked for, whether the context had room for so many or not */
export function stopReasonOf({ tokenCount, isEnded, isStopped }: Made, maxTokens: number): StopReason {
  if (isStopped) return 'sequence';
  if (isEnded) return 'end';
  return tokenCount >= maxTokens ? 'length' : 'context';
}

/** Whether a limit ended the answer, so that more would have come. */
export function isCut(stopReason: StopReason | null): boolean {
  return stopReason === 'length' || stopReason === 'context';
}
