/** What experiments make tables of, by hand. */
import { differences, type JudgedAnswer, type Measurement, miniature, rates } from '../../src/benchmark/index.js';
import type { Timed } from '../../src/experiment/overhead-table.js';
import type { Estimate } from '../../src/report/index.js';

export async function measurementOf(answers: readonly JudgedAnswer[], runs: readonly string[]): Promise<Measurement> {
  const [base = '', ...others] = runs;
  return {
    dataset: miniature,
    variant: '',
    items: [...new Set(answers.map(({ instance }) => instance.item))],
    runs,
    seeds: [1],
    judgeName: 'test',
    refusalJudgeName: 'xstest',
    comparerName: null,
    settings: {},
    answers,
    rates: await rates(answers, runs),
    differences: await differences(
      answers,
      others.map((run) => [run, base] as const),
    ),
    failed: {},
    cut: {},
  };
}

export const value = (cell: unknown) =>
  cell === null ? null : typeof cell === 'object' ? (cell as Estimate).value : cell;

const NO_SEARCH = { candidateCount: 0, undrawnCandidateCount: 0 };

export function timed(model: string, arm: string, id: string, totalMs: number, tokens = 8): Timed {
  const phases = { imageDecodeMs: 1, clipMs: 1, prefillMs: 1, vanillaMs: 1, rewardMs: 1, alignMs: 1, firstTextMs: 2 };
  const counts = { promptTokenCount: 1, imageTokenCount: 1, cachedTokenCount: 0, rewardTokenCount: 0, ...NO_SEARCH };
  const usage = { ...counts, rewardCachedTokenCount: 0, answerTokenCount: tokens, sampledTokenCount: tokens };
  return { model, arm, id, result: { timings: { ...phases, totalMs }, usage, stopReason: 'end' } };
}
