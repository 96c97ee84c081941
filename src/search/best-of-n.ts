/**
 * Sentence-level best-of-N: each round forks N candidates from the accepted text, decodes them in one batch to the end of
 * a sentence, scores them together, keeps the best and releases the rest. The winner is the next round's root; no KV cell
 * is copied or computed twice. Source: algorithm 1 of the paper (arXiv 2410.06625) and its reference code.
 */
import type { Sequence } from '../engine/index.js';
import { throwIfAborted } from '../errors.js';
import type { CandidateTrace, RoundTrace } from '../types/trace.js';
import { AcceptedText } from './accepted-text.js';
import { drawRound } from './round.js';
import type { Scored } from './round-scores.js';
import type { SearchOptions } from './search-options.js';

export interface SearchedAnswer {
  /** Up to a stop text. */
  readonly text: string;
  /** Those that it was made of, a stop text's and what stands behind it included. */
  readonly tokens: readonly number[];
  readonly tokenCount: number;
  /** Every token sampled, those of losers included. */
  readonly sampledTokenCount: number;
  /** Whether the model ended the text. */
  readonly isEnded: boolean;
  /** Whether a stop text did; otherwise, where the model did not, a limit did. */
  readonly isStopped: boolean;
  /** Ends with it, and is still alive. */
  readonly sequence: Sequence;
}

/** Sequences alive at once: the root and its candidates. */
export function searchSequenceCount(candidateCount: number): number {
  return candidateCount + 1;
}

/**
 * KV cells that the search adds to its root at most: all that is accepted, and the last round's losers beside it.
 * @param roomTokens tokens that may be accepted
 */
export function searchCellCount(candidateCount: number, roomTokens: number, tokenLimit: number): number {
  return roomTokens + (candidateCount - 1) * Math.min(tokenLimit, roomTokens);
}

/** The most tokens that may be accepted where {@link searchCellCount} is at most `cellCount`; negative where none is. */
export function searchRoomTokens(candidateCount: number, cellCount: number, tokenLimit: number): number {
  return Math.max(
    Math.min(Math.floor(cellCount / candidateCount), tokenLimit),
    cellCount - (candidateCount - 1) * tokenLimit,
  );
}

/**
 * Yields each round once its winner is accepted and the losers are released; returns the whole text. Releases `root` in
 * the first round. What is alive when it throws or is left early belongs to the root's lease, which frees it.
 *
 * @throws AbortError within one step of the signal; whatever engine and judge throw
 */
export async function* searchBestOfN(
  root: Sequence,
  options: SearchOptions,
): AsyncGenerator<RoundTrace, SearchedAnswer, void> {
  const { maxTokens, roomTokens, rule, judge, signal } = options;
  const end = rule.finishesLast ? roomTokens : maxTokens;
  const accepted = new AcceptedText(options);
  let sampledTokenCount = 0;
  let parent = root;
  let isEnded = false;
  let isStopped = false;
  for (let round = 1; !isEnded && !isStopped && accepted.tokens.length < maxTokens; round++) {
    throwIfAborted(signal);
    const sentenceLimit = round === 1 ? rule.firstTokenLimit : rule.tokenLimit;
    const limit = Math.min(sentenceLimit, end - accepted.tokens.length);
    const startedAt = performance.now();
    const { scored, chosen, undrawnCount, decodeMs } = await drawRound(parent, { options, round, limit, accepted });
    const winner = scored[chosen];
    if (winner === undefined) break; // a round has at least one candidate
    judge.accept(accepted.take(winner));
    await Promise.all(scored.filter((other) => other !== winner).map(({ sequence }) => sequence.release()));
    sampledTokenCount += scored.reduce((sum, { tokens }) => sum + tokens.length, 0);
    ({ sequence: parent, isEnded, isStopped } = winner);
    yield {
      round,
      candidates: scored.map(traceOf),
      chosen,
      ...(undrawnCount > 0 && { undrawnCount }),
      decodeMs,
      scoreMs: performance.now() - startedAt - decodeMs,
    };
    options.onText(winner.said);
  }
  const { text, tokens } = accepted;
  return { text, tokens, tokenCount: tokens.length, sampledTokenCount, isEnded, isStopped, sequence: parent };
}

function traceOf({ text, tokens, reward, clipScore, utility, isFinal, seed }: Scored): CandidateTrace {
  return { text, tokenCount: tokens.length, reward, clipScore, utility, isFinal, seed };
}
