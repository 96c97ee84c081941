/** What a run did with each of its sequences, read out of its report: an object costs little here, and much in the addon. */
import type { NativeRunReport } from './run-types.js';

/** In the order of their numbers (native/engine/run.h). */
const STATES = ['running', 'ready', 'limit', 'paused', 'ended', 'full', 'failed'] as const;

/** Numbers of an entry: sequence, state, tokenCount, pendingCount, position, tokens, log probabilities. */
const ROW_LENGTH = 7;

/**
 * Why a sequence stands where it stands after a run.
 * - `running`: the budget ended first; run it again.
 * - `ready`: nothing pending and `maxTokens` was 0; the output of its last token is kept.
 * - `limit`: `maxTokens` were sampled; the last one is pending.
 * - `paused`: the last sampled token is in the pause set; it is pending.
 * - `ended`: an end-of-generation token was sampled; it is neither reported in `tokens` nor pending.
 * - `full`: the KV cache had no room for this sequence's next rows; nothing of it was lost. Release something, run again.
 * - `failed`: its logits are not finite numbers, so nothing was drawn from them; the other sequences are not concerned. Or
 *   a step of a recurrent or hybrid model failed, whose state cannot be taken back: the sequence is lost, holds no tokens
 *   (`tokenCount` 0), and every run says so again.
 */
type NativeSequenceState = (typeof STATES)[number];

export interface NativeRunResult {
  readonly sequence: number;
  readonly state: NativeSequenceState;
  /** Tokens sampled in this call, in order. */
  readonly tokens: Int32Array;
  /**
   * Log probability of each, under the distribution it was drawn from (greedy: under the plain softmax). Empty unless the
   * sampler wants them.
   */
  readonly logProbabilities: Float32Array;
  /** KV cells of the sequence (shared ones included) and tokens still pending. */
  readonly tokenCount: number;
  readonly pendingCount: number;
  /** Of the next row; that of a picture's first row until its last is a cell. */
  readonly position: number;
}

/** One result for each entry of the run, in their order. */
export function resultsOf({ rows, tokens, logProbabilities }: NativeRunReport): NativeRunResult[] {
  const results: NativeRunResult[] = [];
  let token = 0;
  let logProbability = 0;
  const numberAt = (index: number) => rows[index] ?? 0;
  for (let at = 0; at < rows.length; at += ROW_LENGTH) {
    const tokenEnd = token + numberAt(at + 5);
    const logProbabilityEnd = logProbability + numberAt(at + 6);
    results.push({
      sequence: numberAt(at),
      state: STATES[numberAt(at + 1)] ?? 'failed',
      tokens: tokens.subarray(token, tokenEnd),
      logProbabilities: logProbabilities.subarray(logProbability, logProbabilityEnd),
      tokenCount: numberAt(at + 2),
      pendingCount: numberAt(at + 3),
      position: numberAt(at + 4),
    });
    token = tokenEnd;
    logProbability = logProbabilityEnd;
  }
  return results;
}
