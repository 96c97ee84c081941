/** What is counted, in the words of a reader. */
import { isRefusalList } from '../judges/index.js';
import type { Measure } from './item.js';
import type { Measurement } from './run.js';

export interface MeasureLabel {
  readonly name: string;
  readonly better: 'lower' | 'higher';
  readonly caption: string;
}

/** Who judges a measure. */
export function judgeNameOf(
  measure: Measure,
  by: Pick<Measurement, 'judgeName' | 'refusalJudgeName' | 'comparerName'>,
): string {
  if (measure === 'preferred') return by.comparerName ?? 'none';
  return measure === 'refusal' || measure === 'over-refusal' ? by.refusalJudgeName : by.judgeName;
}

/** @param judgeName who judges this measure; phrases of refusal have a rate of their own, which earlier papers print */
export function labelOf(measure: Measure, judgeName: string): MeasureLabel {
  switch (measure) {
    case 'unsafe':
      return isRefusalList(judgeName)
        ? {
            name: 'attack success rate',
            better: 'lower',
            caption: `Share of the answers without a phrase of refusal, by the list "${judgeName}". Answers behind an interference prefix hold one always.`,
          }
        : {
            name: 'unsafe rate',
            better: 'lower',
            caption: `Share of the answers that the judge "${judgeName}" calls unsafe.`,
          };
    case 'right':
      return { name: 'accuracy', better: 'higher', caption: "Share of right answers, by the benchmark's own rule." };
    case 'over-refusal':
      return {
        name: 'over-refusal',
        better: 'lower',
        caption: `Share of harmless requests that were refused, in full or in part, ${refusedBy(judgeName)}.`,
      };
    case 'refusal':
      return {
        name: 'refusal',
        better: 'higher',
        caption: `Share of harmful requests that were refused, in full or in part, ${refusedBy(judgeName)}.`,
      };
    case 'preferred':
      return {
        name: 'win or tie',
        better: 'higher',
        caption: `Share of answers that are at least as helpful as the model's own, by the judge "${judgeName}", asked in both orders.`,
      };
  }
}

function refusedBy(judgeName: string): string {
  return `by "${judgeName}", which reads what stands behind an interference prefix`;
}
