/** What the evaluators say of a round's candidates, each text asked about once. */
import { EvaluatorError } from '../errors.js';
import type { Candidate, Round } from './candidates.js';
import { roundUsesClip, type ScoredCandidate, utilities } from './utility.js';

export type Scored = Candidate & ScoredCandidate & { readonly utility: number | null };

export class RoundScores {
  readonly #round: Round;
  /** By what the judge reads. Each text once: a packed run gives twins rewards that differ by 1e-7, and noise would choose between them. */
  readonly #rewards = new Map<string, number | null>();
  readonly #clipScores = new Map<string, number>();
  /** Of a helping of which nothing could be said: no error where something can be said of another. */
  #undecided: EvaluatorError | undefined;

  constructor(round: Round) {
    this.#round = round;
  }

  /**
   * Asks about those that nothing is known of.
   *
   * @param drawn all candidates of the round so far
   * @param isLast whether there are no others to come
   */
  async ask(drawn: readonly Candidate[], isLast: boolean): Promise<void> {
    const unread = firstOfEach(drawn, this.#rewards);
    const unseen = this.#usesClip(drawn) ? firstOfEach(drawn, this.#clipScores) : [];
    const [rewards, clipScores] = await Promise.all([this.#askRewards(unread), this.#askClip(unseen)]);
    for (const [at, { continuation }] of unread.entries())
      this.#rewards.set(continuation, rewards[at] === null ? null : finite(rewards[at], 'reward'));
    for (const [at, { continuation }] of unseen.entries())
      this.#clipScores.set(continuation, finite(clipScores[at], 'CLIP score'));
    if (isLast && [...this.#rewards.values()].every((reward) => reward === null))
      throw this.#undecided ?? notFinite(undefined, 'reward');
  }

  /** Null where nothing could be said of it. */
  rewardOf({ continuation }: Candidate): number | null {
    return this.#rewards.get(continuation) ?? null;
  }

  /** Candidates with what was said of them. */
  of(drawn: readonly Candidate[]): Scored[] {
    const { round, options } = this.#round;
    const usesClip = this.#usesClip(drawn);
    const scored = drawn.map((candidate) => ({
      ...candidate,
      reward: this.rewardOf(candidate),
      clipScore: usesClip ? (this.#clipScores.get(candidate.continuation) ?? null) : null,
    }));
    const values = utilities(round, scored, options.clipWeight);
    return scored.map((candidate, index) => ({ ...candidate, utility: values[index] ?? null }));
  }

  #usesClip(drawn: readonly Candidate[]): boolean {
    const { round, options } = this.#round;
    return options.clipWeight > 0 && options.judge.clipScores !== null && roundUsesClip(round, drawn);
  }

  async #askRewards(candidates: readonly Candidate[]): Promise<readonly (number | null)[]> {
    if (candidates.length === 0) return [];
    const { judge, signal } = this.#round.options;
    try {
      return await judge.rewards(
        candidates.map(({ continuation }) => continuation),
        signal,
        candidates.map(({ sequence }) => sequence),
      );
    } catch (error) {
      if (!(error instanceof EvaluatorError) || error.code !== 'ERR_NO_DECISION') throw error;
      this.#undecided = error;
      return candidates.map(() => null);
    }
  }

  async #askClip(candidates: readonly Candidate[]): Promise<readonly number[]> {
    const { judge, signal } = this.#round.options;
    if (candidates.length === 0) return [];
    const texts = candidates.map(({ text }) => text);
    return (await judge.clipScores?.(texts, signal)) ?? [];
  }
}

/** The first candidate of each text that is not among those known. */
function firstOfEach(drawn: readonly Candidate[], known: ReadonlyMap<string, unknown>): Candidate[] {
  const first = new Map<string, Candidate>();
  for (const candidate of drawn) {
    const { continuation } = candidate;
    if (!known.has(continuation) && !first.has(continuation)) first.set(continuation, candidate);
  }
  return [...first.values()];
}

/** A judge that has nothing to say of a candidate must not decide which one is taken. */
function finite(value: number | null | undefined, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw notFinite(value, what);
}

function notFinite(value: number | null | undefined, what: string): EvaluatorError {
  return new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected a ${what} of each candidate that is a finite number, received ${value ?? 'none'}. Fetch or export the evaluator again.`,
  );
}
