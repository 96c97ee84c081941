/** What a search is asked. */
import type { Sequence, TokenSet } from '../engine/index.js';
import type { SentenceRule } from './sentence.js';
import type { StopTexts } from './stop-texts.js';

/** How candidates are judged. The texts of a call belong to one round; candidates that read alike are one text. */
export interface CandidateJudge {
  /**
   * Rewards of the accepted text with each of these behind it, null for one of which nothing can be said beside others;
   * `sequences` end with them, and are to stay as they are. Asked once for each helping of a round.
   */
  rewards(
    continuations: readonly string[],
    signal: AbortSignal,
    sequences: readonly Sequence[],
  ): Promise<readonly (number | null)[]>;
  /** Cosines of the picture with each text alone; null where there is no picture. Asked only when the utility needs it. */
  readonly clipScores: ((texts: readonly string[], signal: AbortSignal) => Promise<readonly number[]>) | null;
  /** The chosen continuation became part of the accepted text. */
  accept(text: string): void;
}

export interface SearchOptions {
  /** N, >= 1. */
  readonly candidateCount: number;
  /**
   * Candidates of a round's first helping, >= 0. The others are drawn where none of these passes; 0, and `candidateCount`
   * or more: all are drawn at once.
   */
  readonly firstCandidateCount: number;
  /** A candidate of the first helping passes with a reward above this. */
  readonly acceptAbove: number;
  /** From so many tokens on no round begins, >= 1. */
  readonly maxTokens: number;
  /** Tokens that there is room for, >= maxTokens: what the last sentence may end at where the rule finishes it. */
  readonly roomTokens: number;
  readonly temperature: number;
  /** Tokens that may be drawn; 0 = all. */
  readonly topK: number;
  readonly rule: SentenceRule;
  /** Tokens of `rule`, made for the root's context. */
  readonly endTokens: TokenSet;
  /** Text that stands before the search's first token on the same line, such as the interference prefix. */
  readonly before: string;
  /** Whether an end of text may win while nothing at all has been said. */
  readonly mayBeEmpty: boolean;
  /** Weight of the CLIP score in the utility; 0 never asks for one. */
  readonly clipWeight: number;
  /** Seed of candidate `index` of `round`: the same whatever runs beside it, and in whichever helping it is drawn. */
  seed(round: number, index: number): number;
  readonly judge: CandidateJudge;
  /** What ends the text. What of it may yet become one of them has to be missing from what the judge has accepted. */
  readonly stops: StopTexts;
  /**
   * Makes a sequence end with what its candidate comes to, before it is judged; null where the judge looks at texts alone.
   *
   * @param tokens behind the root's
   * @param text with `before`
   */
  readonly cutBack: ((sequence: Sequence, tokens: readonly number[], text: string) => Promise<void>) | null;
  /** Gets what was accepted once its round was given out, what stands behind a stop text too. */
  onText(text: string): void;
  readonly signal: AbortSignal;
}
