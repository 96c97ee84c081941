/** Candidates of a round: forks of the accepted text, each decoded to the end of a sentence. */
import type { Sequence } from '../engine/index.js';
import type { AcceptedText } from './accepted-text.js';
import type { SearchOptions } from './search-options.js';

export interface Candidate {
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

/** A round that is to be drawn. */
export interface Round {
  readonly options: SearchOptions;
  /** From 1. */
  readonly round: number;
  /** Tokens of a candidate at most. */
  readonly limit: number;
  readonly accepted: AcceptedText;
}

/**
 * Decodes each fork to the end of a sentence, all in one batch.
 *
 * @param from place in the round of the first of them
 */
export async function draw(
  forks: readonly Sequence[],
  from: number,
  { options, round, limit, accepted }: Round,
): Promise<Candidate[]> {
  const { temperature, topK, rule, endTokens, stops, cutBack, signal } = options;
  const before = options.before + accepted.text;
  const pause = { set: endTokens, accept: (said: string) => rule.ends(said, before) };
  const until = stops.isEmpty ? undefined : (said: string) => accepted.behind(said).isStopped;
  const candidates = await Promise.all(
    forks.map(async (sequence, index): Promise<Candidate> => {
      const seed = options.seed(round, from + index);
      const sampler = { temperature, topK, seed };
      const made = await sequence.decode({ sampler, maxTokens: limit, pause, until, signal });
      const { text: said, tokens } = made;
      const behind = accepted.behind(said);
      const isEnded = made.stopReason === 'end' && !behind.isStopped;
      return { sequence, said, tokens, ...behind, isEnded, isFinal: isEnded || behind.isStopped, seed };
    }),
  );
  if (cutBack === null) return candidates;
  // One after another, when all are drawn: when its text is tokenised would else decide what it shares steps with.
  for (const { sequence, tokens, continuation, isStopped } of candidates) {
    if (isStopped) await cutBack(sequence, [...accepted.tokens, ...tokens], accepted.whole(continuation));
  }
  return candidates;
}
