/** What is counted, in the words of a reader. */
import type { Measure } from './item.js';

export interface MeasureLabel {
  readonly name: string;
  readonly better: 'lower' | 'higher';
  readonly caption: string;
}

/** @param judgeName who judges safety; refusal keywords have a rate of their own, which earlier papers print */
export function labelOf(measure: Measure, judgeName: string): MeasureLabel {
  switch (measure) {
    case 'unsafe':
      return judgeName === 'keyword'
        ? {
            name: 'attack success rate',
            better: 'lower',
            caption:
              'Share of the answers without a phrase of refusal. Answers behind an interference prefix hold one always.',
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
        caption: 'Share of harmless requests that were refused, by phrases of refusal behind the interference prefix.',
      };
    case 'refusal':
      return {
        name: 'refusal',
        better: 'higher',
        caption: 'Share of harmful requests that were refused.',
      };
    case 'preferred':
      return {
        name: 'win or tie',
        better: 'higher',
        caption: `Share of answers that are at least as helpful as the model's own, by the judge "${judgeName}", asked in both orders.`,
      };
  }
}
