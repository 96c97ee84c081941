/** What was decided, and why, in plain words. */

import type { Action, Verdict } from '../types/verdict.js';
import type { Exchange } from './exchange.svelte.js';
import type { Story } from './story.js';

const ACTION_NAMES: Readonly<Record<Action, string>> = {
  answered: 'Own answer',
  aligned: 'Written again',
  refused: 'Refused',
};

/** Whether nobody judged anything: what there is to say is that. */
export function isUnchecked({ picture, answer, final }: Verdict): boolean {
  return picture === null && answer === null && final === null;
}

/** What stands beside an answer, in two words. */
export function actionName(verdict: Verdict): string {
  return isUnchecked(verdict) ? 'Not checked' : ACTION_NAMES[verdict.action];
}

/** Sentences of the model's own answer that had gone out when one was held back; 0 where the answer was judged whole. */
export function goneCount({ sentences = [] }: Pick<Story, 'sentences'>): number {
  return sentences.filter(({ text }) => text !== null).length;
}

/**
 * What was decided, in one sentence; two where the new answer is to be spoken of.
 *
 * @param gone {@link goneCount}
 */
export function decision(verdict: Verdict, gone = 0): string {
  const picture = verdict.picture?.isUnsafe ?? null;
  const answer = verdict.answer?.isUnsafe ?? null;
  if (verdict.action === 'answered') {
    if (picture === false) return 'The picture looks safe, so the model’s own answer stands.';
    if (picture === true) return 'The picture looks unsafe, but the model’s own answer reads safe, so it stands.';
    if (answer === false) return 'The model’s own answer reads safe, so it stands.';
    return 'Nothing was checked: this is the model’s own answer.';
  }
  const both = picture === true && answer === true;
  const from = gone === 0 ? '' : ` from sentence ${gone + 1} on`;
  const why = both
    ? `The picture looks unsafe, and so does the model’s own answer${from}`
    : picture === true
      ? 'The picture looks unsafe'
      : `The model’s own answer reads unsafe${from}`;
  const held = gone === 0 ? 'it was held back and another was written' : 'that was held back and it goes on otherwise';
  const what = answer === true ? held : 'the answer was written with care';
  if (verdict.action === 'refused' && verdict.final === null)
    return `${why}, and there was no room to write another: a fixed sentence stands in.`;
  if (verdict.action === 'refused')
    return `${why}, so ${what}. Even that one reads unsafe: a fixed sentence stands in.`;
  const { final } = verdict;
  if (final === null) return `${why}, so ${what}.`;
  return final.isUnsafe
    ? `${why}, so ${what}. The new one reads unsafe too, and is shown.`
    : `${why}, so ${what}. The new one reads safe.`;
}

/** What is going on, while it does. */
export function progress({ story, text, options }: Exchange): string {
  const { picture, vanillaText, answer, rounds, verdict } = story;
  if (verdict !== null || (text !== '' && !answer?.isUnsafe)) return 'Answering';
  if (rounds.length > 0) return `Writing again: sentence ${rounds.length} is chosen, and the next is on its way`;
  if (answer?.isUnsafe) return 'The model’s own answer reads unsafe: writing it again';
  if (vanillaText !== null) return 'The model’s own answer is held back until it has been read';
  if (picture?.isUnsafe) return 'The picture looks unsafe: the answer is held back until it has been read';
  if (picture !== null) return 'The picture looks safe: answering';
  return options.method === 'vanilla' ? 'Reading the question' : 'Reading the question, looking at the pictures';
}

/** Why an answer was cut; null for one that was not. */
export function cut(stopReason: string, maxTokens: number | null): string | null {
  if (stopReason === 'length')
    return `The answer was cut at the most tokens it may have${maxTokens === null ? '' : ` (${maxTokens})`}.`;
  if (stopReason === 'context') return 'The answer was cut: the context has no room for more. A new conversation has.';
  return null;
}

/** What an interrupted search leaves to say. */
export function storyHeadline(exchange: Exchange): string {
  const { story, status } = exchange;
  if (story.verdict !== null) return decision(story.verdict, goneCount(story));
  if (exchange.isRunning) return `${progress(exchange)}…`;
  if (status === 'stopped') return 'It was stopped before anything was decided.';
  return 'Nothing was decided.';
}

/** Rounds, in words. */
export function roundsOf({ rounds }: Story): string {
  return rounds.length === 1 ? '1 round' : `${rounds.length} rounds`;
}
