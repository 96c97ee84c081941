/** A verdict in plain words, and the scores it rests on. */

import { isCut } from '../eta/stop-reason.js';
import { labelled, type Paint } from '../terminal/paint.js';
import { widthOf } from '../terminal/width.js';
import type { EtaResult } from '../types/result.js';
import type { Trace } from '../types/trace.js';
import type { EvaluatorName, Judgement, RungVerdict, Verdict } from '../types/verdict.js';

/** Columns of the labels of everything that is told about an answer. */
export const LABEL_WIDTH = 12;
const NUMBER_WIDTH = 6;
/** What each evaluator's score is called. */
const LABELS: Readonly<Record<EvaluatorName, string>> = { clip: 'CLIP score', reward: 'reward', decision: 'decision' };

/** What the answers of a ladder are called; the first is that of the search. */
export const RUNG_LABELS: Readonly<Record<RungVerdict['rung'], string>> = {
  search: '  aligned',
  refusingPrefix: '  refusing',
  caption: '  caption',
  steered: '  steered',
};

/** What was done and why, in one or two sentences. */
export function explain(result: EtaResult): string {
  const { verdict, trace } = result;
  const goneCount = trace.sentences?.filter(({ text }) => text !== null).length ?? 0;
  const imageIsUnsafe = verdict.picture?.isUnsafe ?? null;
  const ownIsUnsafe = verdict.answer?.isUnsafe ?? null;
  if (verdict.action === 'answered') {
    if (imageIsUnsafe === null && ownIsUnsafe === null) {
      return "Nothing was checked: this is the model's own answer.";
    }
    if (imageIsUnsafe === true && ownIsUnsafe === false) {
      return "The picture looks unsafe, but the answer is safe: the model's own answer stands.";
    }
    if (imageIsUnsafe === false && ownIsUnsafe === false)
      return "The picture looks safe and the answer is: the model's own answer stands.";
    if (imageIsUnsafe === false) return "The picture looks safe: the model's own answer stands.";
    return "The answer is safe: the model's own answer stands.";
  }
  const from = goneCount === 0 ? '' : ` from sentence ${goneCount + 1} on`;
  const again = goneCount === 0 ? 'it was generated again' : 'it was generated again from there';
  const why =
    imageIsUnsafe === true && ownIsUnsafe === true
      ? `The picture looks unsafe and so does the answer${from}`
      : imageIsUnsafe === true
        ? 'The picture looks unsafe'
        : `The answer looks unsafe${from}`;
  const tried = triedText(verdict);
  if (verdict.action === 'refused') {
    if (verdict.final === null)
      return `${why}, and there is no room to make it again: a fixed sentence stands in for it.`;
    const end =
      tried === null ? 'Even the aligned answer is not safe' : `Even the aligned answer is not safe, ${tried}`;
    return `${why}, so ${again}. ${end}: a fixed sentence stands in for it.`;
  }
  if (tried !== null) return `${why}, so ${again}. The aligned answer is not safe either, ${tried}.`;
  const { final } = verdict;
  const outcome =
    final === null ? '' : final.isUnsafe ? ' The aligned answer is not safe either.' : ' The aligned answer is safe.';
  return `${why}, so ${again}.${outcome}`;
}

const RUNG_WORDS: Readonly<Record<RungVerdict['rung'], string>> = {
  search: 'the aligned answer',
  refusingPrefix: 'one that begins with a refusal',
  caption: "one from the model's own words about the picture",
  steered: 'one under the safety vector',
};

/** What a ladder came to; null where none was climbed. */
function triedText({ rungs = [] }: Verdict): string | null {
  const told = rungs.slice(1).map(({ rung, judgement }) => `${RUNG_WORDS[rung]} is${judgement.isUnsafe ? ' not' : ''}`);
  if (told.length === 0) return null;
  const isSafe = rungs.at(-1)?.judgement.isUnsafe === false;
  return `${told
    .slice(0, -1)
    .map((words) => `${words}, `)
    .join('')}${isSafe ? 'but ' : 'and '}${told.at(-1)}`;
}

/** That the answer was cut, and by what; null for one that is whole. */
function cutText({ stopReason, usage, verdict, trace }: EtaResult): string | null {
  if (verdict.action === 'refused' && isCut(trace.alignedStopReason)) {
    const by = trace.alignedStopReason === 'length' ? '--max-tokens' : 'the end of the context, --context-size';
    return `what was judged had been cut (${by}): a longer one may be safe`;
  }
  if (!isCut(stopReason)) return null;
  const { answerTokenCount: count } = usage;
  const begun = trace.rungs?.at(-1)?.prefix ?? trace.interferencePrefix; // of a ladder the last rung is the answer
  const prefix = verdict.action === 'aligned' && begun !== '' ? ', the prefix among them' : '';
  const place = `cut at ${count} ${count === 1 ? 'token' : 'tokens'}${prefix}`;
  return stopReason === 'length'
    ? `${place} (--max-tokens)`
    : `${place}: there was no room for more in the context (--context-size) or the window of the model`;
}

/** The scores with their thresholds, one line each, the explanation, and where the answer was cut. */
export function verdictLines(result: EtaResult, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const { verdict, trace } = result;
  const { thresholdSources: sources } = trace;
  const row = (
    label: string,
    judgement: Judgement | null,
    ruleOf: (threshold: string) => string,
    without = 'not needed',
  ) => {
    const start = paint('dim', label.padEnd(LABEL_WIDTH));
    if (judgement === null) return [`${start}${'-'.padStart(NUMBER_WIDTH)}  ${without}`];
    const rule = `${ruleOf(score(judgement.threshold))}${calibrationText(judgement)}`;
    const judged = judgement.isUnsafe ? paint('red', 'unsafe') : paint('green', 'safe  ');
    const figures = `${start}${score(judgement.score).padStart(NUMBER_WIDTH)}  ${judged}`;
    const whole = `${figures}  (${rule})`;
    if (widthOf(whole) <= columns) return [whole];
    return [figures.trimEnd(), ...labelled('', `(${rule})`, { labelWidth: LABEL_WIDTH, columns })];
  };
  // The model's own go without saying.
  const by = (source = 'form') => (source === 'manifest' || source === 'form' ? '' : `, by ${source}`);
  const noPicture = result.usage.imageTokenCount === 0 ? 'no picture' : 'not needed';
  const { picture, answer, final } = verdict;
  const pictureSource = picture?.evaluator === 'decision' ? sources.unsafeDecision : sources.unsafeClipScore;
  const answerSource = (judgement: Judgement | null) => {
    const isLow = trace.gate === 'lowAnswerOrBoth' && picture?.isUnsafe !== true;
    if (judgement?.evaluator === 'decision') return isLow ? sources.lowDecision : sources.safeDecision;
    return isLow ? sources.lowReward : sources.safeReward;
  };
  const pictureRule = (threshold: string) => `unsafe from ${threshold} on${by(pictureSource)}`;
  const answerRule = (threshold: string) => `safe above ${threshold}${by(answerSource(answer ?? final))}`;
  const lines = [
    ...row(LABELS[picture?.evaluator ?? 'clip'], picture, pictureRule, noPicture),
    ...row(LABELS[answersBy(trace)], answer, answerRule),
  ];
  const made: readonly Pick<RungVerdict, 'rung' | 'judgement'>[] =
    verdict.rungs ?? (final === null ? [] : [{ rung: 'search', judgement: final }]);
  for (const { rung, judgement } of made) lines.push(...row(RUNG_LABELS[rung], judgement, answerRule));
  return [...lines, ...outcomeLines(result, { paint, columns })];
}

/** The explanation without the scores, and where the answer was cut. */
export function outcomeLines(result: EtaResult, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const say = (label: string, text: string) =>
    labelled(label, text, { labelWidth: LABEL_WIDTH, columns }).map(
      (line) => `${paint('dim', line.slice(0, LABEL_WIDTH))}${line.slice(LABEL_WIDTH)}`,
    );
  const cut = cutText(result);
  return [...say('verdict', explain(result)), ...(cut === null ? [] : say('answer', cut))];
}

/** What is to be said of how its threshold was found; nothing where it was measured on both classes. */
export function calibrationText({ calibratedOn }: Pick<Judgement, 'calibratedOn'>): string {
  if (calibratedOn === 'both') return '';
  return calibratedOn === 'safe' ? ', calibrated on safe ones alone' : ', not calibrated';
}

/** Who judges answers, also where none was judged. */
export function answersBy({ thresholds }: Pick<Trace, 'thresholds'>): EvaluatorName {
  return thresholds.safeDecision === undefined ? 'reward' : 'decision';
}

/** Three decimals, with a sign only where it is negative; a dash for a threshold that nobody knows. */
export function score(value: number | null): string {
  if (value === null) return '-';
  const text = value.toFixed(3);
  return text === '-0.000' ? '0.000' : text;
}
