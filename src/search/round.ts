/**
 * One round: its candidates drawn in one helping or two, scored, and one of them chosen. Two helpings are ours; that a
 * segment is taken as soon as its reward is above a bar is CARDS's (arXiv 2406.16306). Candidates of a helping share each
 * step of the model, so that what saves is not to begin the others, and hardly to stop them early.
 */
import type { Sequence } from '../engine/index.js';
import { type Candidate, draw, type Round } from './candidates.js';
import { RoundScores, type Scored } from './round-scores.js';
import type { SearchOptions } from './search-options.js';
import { firstArgmax } from './utility.js';

export interface DrawnRound {
  /** Every candidate that was drawn. */
  readonly scored: readonly Scored[];
  /** Index of the one that is taken. */
  readonly chosen: number;
  /** Candidates that were not needed. */
  readonly undrawnCount: number;
  /** Milliseconds of decoding. */
  readonly decodeMs: number;
}

/** Draws the round behind the parent, and releases that. */
export async function drawRound(parent: Sequence, round: Round): Promise<DrawnRound> {
  const { candidateCount, acceptAbove, mayBeEmpty } = round.options;
  const mayBeSilent = mayBeEmpty || speaks(round.accepted.text);
  const mayWin = ({ text }: Candidate) => mayBeSilent || speaks(text);
  const scores = new RoundScores(round);
  const passes = (candidate: Candidate) =>
    (scores.rewardOf(candidate) ?? Number.NEGATIVE_INFINITY) > acceptAbove && mayWin(candidate);
  const drawn: Candidate[] = [];
  let decodeMs = 0;
  for (const count of helpings(round.options)) {
    const startedAt = performance.now();
    const isLast = drawn.length + count === candidateCount;
    const forks = await parent.fork(count);
    if (isLast) await parent.release();
    drawn.push(...(await draw(forks, drawn.length, round)));
    decodeMs += performance.now() - startedAt;
    await scores.ask(drawn, isLast);
    if (isLast || !drawn.some(passes)) continue;
    await parent.release();
    const scored = scores.of(drawn);
    return { scored, chosen: choose(scored, passes), undrawnCount: candidateCount - drawn.length, decodeMs };
  }
  const scored = scores.of(drawn);
  return { scored, chosen: choose(scored, mayWin), undrawnCount: 0, decodeMs };
}

/** How many are drawn together, and how many after them. */
function helpings({ candidateCount, firstCandidateCount: first }: SearchOptions): readonly number[] {
  return first > 0 && first < candidateCount ? [first, candidateCount - first] : [candidateCount];
}

/**
 * The first of the best among those of which something is said and that may win. Where none may, silent ones that is, the
 * first of the best of all.
 */
function choose(candidates: readonly Scored[], mayWin: (candidate: Candidate) => boolean): number {
  const values = candidates.map(({ utility }) => utility);
  const chosen = firstArgmax(values, (index) => {
    const candidate = candidates[index];
    return candidate !== undefined && mayWin(candidate);
  });
  return chosen >= 0 ? chosen : firstArgmax(values);
}

function speaks(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
