/** An Eta whose answers are planted, for what reading and writing of many takes. */
import type { Eta } from '../src/index.js';

export const question = (row: number) => `What is the object number ${row} in this picture?`;
export const answer = (row: number) => `The object number ${row} is a lamp, and it stands on a table.`;

/** Of an Eta what a batch asks of it. */
export function planted(): Eta {
  const judgement = {
    evaluator: 'clip',
    score: 0.15,
    threshold: 0.205,
    isUnsafe: false,
    isCalibrated: true,
    calibratedOn: 'both',
  };
  const usage = {
    promptTokenCount: 80,
    imageTokenCount: 64,
    cachedTokenCount: 0,
    answerTokenCount: 14,
    sampledTokenCount: 14,
  };
  const respond = async ({ prompt = '', seed }: { readonly prompt?: string; readonly seed?: number }) => ({
    text: answer(Number(/\d+/.exec(prompt)?.[0])),
    stopReason: 'end',
    verdict: { action: 'answered', picture: judgement, answer: null, final: null },
    trace: { method: 'eta', rounds: [] },
    usage: { ...usage, rewardTokenCount: 0, rewardCachedTokenCount: 0 },
    timings: {
      imageDecodeMs: 1,
      clipMs: 2,
      prefillMs: 3,
      vanillaMs: 4,
      rewardMs: 0,
      alignMs: 0,
      firstTextMs: 5,
      totalMs: 10,
    },
    model: 'planted',
    seed,
  });
  return { respond, facts: { policy: { method: 'eta' } } } as unknown as Eta;
}
