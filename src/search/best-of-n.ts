/**
 * Sentence-level best-of-N: each round forks N candidates from the accepted text, decodes them in one batch to the end of
 * a sentence, scores them together, keeps the best and releases the rest. The winner is the next round's root; no KV cell
 * is copied or computed twice. Source: algorithm 1 of the paper (arXiv 2410.06625) and its reference code.
 */
import type { Sequence, TokenSet } from '../engine/index.js';
import { EvaluatorError, throwIfAborted } from '../errors.js';
import type { CandidateTrace, RoundTrace } from '../types.js';
import { AcceptedText } from './accepted-text.js';
import type { SentenceRule } from './sentence.js';
import type { StopTexts } from './stop-texts.js';
import { firstArgmax, roundUsesClip, type ScoredCandidate, utilities } from './utility.js';

/** How candidates are judged. The texts of a call belong to one round; candidates that read alike are one text. */
export interface CandidateJudge {
  /**
   * Rewards of the accepted text with each of these behind it, null for one of which nothing can be said beside others;
   * `sequences` end with them, and are to stay as they are.
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
  /** Seed of candidate `index` of `round`: the same whatever runs beside it. */
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
    const candidates = await propose(parent, { options, round, limit, accepted });
    const decodedAt = performance.now();
    const scored = await score(candidates, round, options);
    const chosen = choose(scored, options.mayBeEmpty || speaks(accepted.text));
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
      decodeMs: decodedAt - startedAt,
      scoreMs: performance.now() - decodedAt,
    };
    options.onText(winner.said);
  }
  const { text, tokens } = accepted;
  return { text, tokens, tokenCount: tokens.length, sampledTokenCount, isEnded, isStopped, sequence: parent };
}

interface Candidate {
  readonly sequence: Sequence;
  /** As it was sampled. */
  readonly said: string;
  readonly tokens: readonly number[];
  /** What the judge reads behind what it has accepted: up to a stop text. */
  readonly continuation: string;
  /** The same, behind what is accepted. */
  readonly text: string;
  readonly isEnded: boolean;
  readonly isStopped: boolean;
  readonly isFinal: boolean;
  readonly seed: number;
}

type Scored = Candidate & ScoredCandidate & { readonly utility: number | null };

function traceOf({ text, tokens, reward, clipScore, utility, isFinal, seed }: Scored): CandidateTrace {
  return { text, tokenCount: tokens.length, reward, clipScore, utility, isFinal, seed };
}

interface Round {
  readonly options: SearchOptions;
  readonly round: number;
  readonly limit: number;
  readonly accepted: AcceptedText;
}

/** Forks the parent, releases it, and decodes every fork to the end of a sentence, all in one batch. */
async function propose(parent: Sequence, { options, round, limit, accepted }: Round): Promise<Candidate[]> {
  const { candidateCount, temperature, topK, rule, endTokens, stops, cutBack, signal } = options;
  const sequences = await parent.fork(candidateCount);
  await parent.release();
  const before = options.before + accepted.text;
  const pause = { set: endTokens, accept: (said: string) => rule.ends(said, before) };
  const until = stops.isEmpty ? undefined : (said: string) => accepted.behind(said).isStopped;
  return await Promise.all(
    sequences.map(async (sequence, index): Promise<Candidate> => {
      const seed = options.seed(round, index);
      const sampler = { temperature, topK, seed };
      const made = await sequence.decode({ sampler, maxTokens: limit, pause, until, signal });
      const { text: said, tokens } = made;
      const behind = accepted.behind(said);
      if (behind.isStopped && cutBack !== null)
        await cutBack(sequence, [...accepted.tokens, ...tokens], accepted.whole(behind.continuation));
      const isEnded = made.stopReason === 'end' && !behind.isStopped;
      return { sequence, said, tokens, ...behind, isEnded, isFinal: isEnded || behind.isStopped, seed };
    }),
  );
}

async function score(
  candidates: readonly Candidate[],
  round: number,
  { judge, clipWeight, signal }: SearchOptions,
): Promise<Scored[]> {
  // Each text once: a packed run gives twins rewards that differ by 1e-7, and noise would choose between them.
  const texts = [...new Set(candidates.map(({ continuation }) => continuation))];
  const first = texts.map((text) => candidates.find(({ continuation }) => continuation === text) as Candidate);
  const asksClip = clipWeight > 0 && judge.clipScores !== null && roundUsesClip(round, candidates);
  const [rewards, clipScores] = await Promise.all([
    judge.rewards(
      texts,
      signal,
      first.map(({ sequence }) => sequence),
    ),
    asksClip
      ? judge.clipScores?.(
          first.map(({ text }) => text),
          signal,
        )
      : null,
  ]);
  if (rewards.every((reward) => reward === null)) finite(undefined, 'reward');
  const scored = candidates.map((candidate) => {
    const at = texts.indexOf(candidate.continuation);
    const reward = rewards[at] === null ? null : finite(rewards[at], 'reward');
    return { ...candidate, reward, clipScore: clipScores ? finite(clipScores[at], 'CLIP score') : null };
  });
  const values = utilities(round, scored, clipWeight);
  return scored.map((candidate, index) => ({ ...candidate, utility: values[index] ?? null }));
}

/** A judge that has nothing to say of a candidate must not decide which one is taken. */
function finite(value: number | null | undefined, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected a ${what} of each candidate that is a finite number, received ${value ?? 'none'}. Fetch or export the evaluator again.`,
  );
}

/**
 * The first of the best among those of which something is said. Where an answer of nothing is not wanted, a silent
 * candidate wins only if all these are silent.
 */
function choose(candidates: readonly Scored[], mayBeSilent: boolean): number {
  const values = candidates.map(({ utility }) => utility);
  const chosen = firstArgmax(values, (index) => mayBeSilent || speaks(candidates[index]?.text ?? ''));
  return chosen >= 0 ? chosen : firstArgmax(values);
}

function speaks(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
