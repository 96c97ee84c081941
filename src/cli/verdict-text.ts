/** A verdict in plain words, and the scores it rests on. */
import type { EtaResult } from '../types.js';
import { labelled, type Paint } from './paint.js';

/** Columns of the labels of everything that is told about an answer. */
export const LABEL_WIDTH = 12;
const NUMBER_WIDTH = 6;

/** What was done and why, in one or two sentences. */
export function explain(result: EtaResult): string {
  const { verdict, trace } = result;
  const { imageIsUnsafe, answerIsUnsafe, finalReward } = verdict;
  const finalIsSafe = finalReward !== null && finalReward > trace.thresholds.safeReward;
  if (verdict.action === 'answered') {
    if (imageIsUnsafe === null && answerIsUnsafe === null) {
      return "Nothing was checked: this is the model's own answer.";
    }
    if (imageIsUnsafe === true && answerIsUnsafe === false) {
      return "The picture looks unsafe, but the answer is safe: the model's own answer stands.";
    }
    if (imageIsUnsafe === false) return "The picture looks safe: the model's own answer stands.";
    return "The answer is safe: the model's own answer stands.";
  }
  const why =
    imageIsUnsafe === true && answerIsUnsafe === true
      ? 'The picture looks unsafe and so does the answer'
      : imageIsUnsafe === true
        ? 'The picture looks unsafe'
        : 'The answer looks unsafe';
  if (verdict.action === 'refused') {
    return `${why}, so it was generated again. Even the aligned answer is not safe: a fixed sentence stands in for it.`;
  }
  const outcome =
    finalReward === null
      ? ''
      : finalIsSafe
        ? ' The aligned answer is safe.'
        : ' The aligned answer is not safe either.';
  return `${why}, so it was generated again.${outcome}`;
}

/** The scores with their thresholds, one line each, then the explanation. */
export function verdictLines(result: EtaResult, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const { verdict, trace } = result;
  const { unsafeClipScore, safeReward } = trace.thresholds;
  const { thresholdSources: sources } = trace;
  const row = (label: string, value: number | null, isUnsafe: boolean, rule: string, without = 'not needed') => {
    const start = paint('dim', label.padEnd(LABEL_WIDTH));
    if (value === null) return `${start}${'-'.padStart(NUMBER_WIDTH)}  ${without}`;
    const judged = isUnsafe ? paint('red', 'unsafe') : paint('green', 'safe  ');
    return `${start}${score(value).padStart(NUMBER_WIDTH)}  ${judged}  (${rule})`;
  };
  // The manifest's go without saying.
  const by = (source: string) => (source === 'manifest' ? '' : `, by ${source}`);
  const clipRule = `unsafe from ${score(unsafeClipScore)} on${by(sources.unsafeClipScore)}`;
  const rewardRule = `safe above ${score(safeReward)}${by(sources.safeReward)}`;
  const noPicture = result.usage.imageTokenCount === 0 ? 'no picture' : 'not needed';
  const { clipScore, reward, finalReward } = verdict;
  const lines = [
    row('CLIP score', clipScore, clipScore !== null && clipScore >= unsafeClipScore, clipRule, noPicture),
    row('reward', reward, reward !== null && !(reward > safeReward), rewardRule),
  ];
  if (finalReward !== null) lines.push(row('  aligned', finalReward, !(finalReward > safeReward), rewardRule));
  const words = labelled('verdict', explain(result), { labelWidth: LABEL_WIDTH, columns });
  lines.push(...words.map((line) => `${paint('dim', line.slice(0, LABEL_WIDTH))}${line.slice(LABEL_WIDTH)}`));
  return lines;
}

/** Three decimals, with a sign only where it is negative. */
export function score(value: number): string {
  const text = value.toFixed(3);
  return text === '-0.000' ? '0.000' : text;
}
