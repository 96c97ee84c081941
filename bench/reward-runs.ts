/** The rewards of a search both ways: its candidates packed over what is kept, and each answer as a run of its own. */
import type { RewardModel } from '../src/reward/index.js';
import type { TextTurn } from '../src/types/turn.js';

/** What a search scores. */
export interface SearchTexts {
  readonly prompt: readonly TextTurn[];
  /** What every answer begins with. */
  readonly before: string;
  readonly rounds: readonly { readonly candidates: readonly string[]; readonly chosen: number }[];
}

export interface RewardRun {
  /** Milliseconds of each round. */
  readonly roundMs: readonly number[];
  /** Of each round's candidates. */
  readonly scores: readonly (readonly number[])[];
  /** Tokens that went through the model. */
  readonly tokenCount: number;
}

/** As a request does it; the prompt is known from requests before it. */
export async function scoreTogether(model: RewardModel, { prompt, before, rounds }: SearchTexts): Promise<RewardRun> {
  await model.score(prompt, before);
  const session = model.open(prompt);
  session.accept(before);
  const scores: number[][] = [];
  const roundMs: number[] = [];
  for (const { candidates, chosen } of rounds) {
    const startedAt = performance.now();
    scores.push(await session.score(candidates));
    roundMs.push(performance.now() - startedAt);
    session.accept(candidates[chosen] ?? '');
  }
  const tokenCount = session.statistics.ranTokenCount;
  session.close();
  return { roundMs, scores, tokenCount };
}

/** Each answer whole, from its first token. */
export async function scoreApart(model: RewardModel, { prompt, before, rounds }: SearchTexts): Promise<RewardRun> {
  let accepted = before;
  let tokenCount = 0;
  const roundMs: number[] = [];
  const scores: number[][] = [];
  for (const { candidates, chosen } of rounds) {
    const row: number[] = [];
    let ms = 0;
    for (const candidate of candidates) {
      await forgetPrompts(model);
      const session = model.open(prompt);
      const startedAt = performance.now();
      row.push((await session.score([accepted + candidate]))[0] ?? Number.NaN);
      ms += performance.now() - startedAt;
      const { ranTokenCount, cachedTokenCount } = session.statistics;
      session.close();
      if (cachedTokenCount > 0)
        throw new Error(`expected a whole run, received one that kept ${cachedTokenCount} tokens`);
      tokenCount += ranTokenCount;
    }
    scores.push(row);
    roundMs.push(ms);
    accepted += candidates[chosen] ?? '';
  }
  return { roundMs, scores, tokenCount };
}

/** Other prompts take the place of every one that the model keeps, those of its self-test too. */
async function forgetPrompts(model: RewardModel): Promise<void> {
  for (let other = 0; other < 5; other++) await model.score([{ role: 'user', content: `${other}` }], '');
}

/** The greatest distance of the scores of the same candidates. */
export function largestDifference(left: readonly RewardRun[], right: readonly RewardRun[]): number {
  const flat = (runs: readonly RewardRun[]) => runs.flatMap(({ scores }) => scores.flat());
  const others = flat(right);
  return Math.max(...flat(left).map((score, at) => Math.abs(score - (others[at] ?? Number.NaN))));
}

/** Milliseconds of every round together, of each run. */
export const wholeMs = (runs: readonly RewardRun[]): number[] =>
  runs.map(({ roundMs }) => roundMs.reduce((sum, ms) => sum + ms, 0));
