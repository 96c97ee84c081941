/** Answers held against right ones, by each benchmark's own rule. */
import type { AnswerKey } from './item.js';
import { vqaAccuracy } from './vqa-accuracy.js';

export interface Match {
  /** 1 right, 0 wrong, between them where ten people disagreed. */
  readonly score: number;
  /** What was read out of the answer; null where nothing could be. */
  readonly said: string | null;
}

/** How an answer scores. An answer that nothing can be read out of is wrong, as in the benchmarks' own scripts. */
export function match(key: AnswerKey, answer: string): Match {
  switch (key.kind) {
    case 'choice': {
      const said = saidLetter(answer, key.options);
      return { score: said === key.right ? 1 : 0, said };
    }
    case 'yes-no': {
      const said = saysNo(answer) ? 'no' : 'yes';
      return { score: said === key.right ? 1 : 0, said };
    }
    case 'vqa':
      return vqaAccuracy(answer, key.answers);
    case 'text': {
      const said = plain(answer);
      return { score: key.right.some((right) => plain(right) === said) ? 1 : 0, said };
    }
  }
}

/**
 * The letter of an option: alone, first ("B. Paris", "(B) Paris", "B) Paris"), after "the answer is", or by an option's text
 * said as the whole answer. LLaVA's script for ScienceQA takes the first and third form with "A." alone; the others are
 * what instructed models also say.
 */
export function saidLetter(answer: string, options: readonly string[]): string | null {
  const text = answer.trim().replaceAll('\n', '. ');
  const known = (letter: string | undefined) =>
    letter !== undefined && letter.charCodeAt(0) - 65 < options.length ? letter : null;
  const alone = /^\(?([A-Z])\)?[.:]?$/.exec(text) ?? /^\(?([A-Z])(?:\)|[.:])\s/.exec(text);
  if (alone !== null) return known(alone[1]);
  const told = /\b[Tt]he (?:correct )?answer is:?\s*\(?([A-Z])\b/.exec(text);
  if (told !== null) return known(told[1]);
  const same = options.map(plain).indexOf(plain(text));
  return same < 0 ? null : String.fromCharCode(65 + same);
}

/** POPE's rule: a "no" or "not" among the words of the first sentence, else yes. Words end at spaces alone, as there. */
export function saysNo(answer: string): boolean {
  const [first = ''] = answer.trim().split('.');
  return first
    .replaceAll(',', '')
    .split(' ')
    .some((word) => word === 'No' || word === 'no' || word === 'not');
}

/** Letter case, punctuation, articles and spaces aside. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s.,:/%-]/gu, ' ')
    .split(/\s+/)
    .map((word) => word.replace(/(?<![.,:])[.,:]+$/, ''))
    .filter((word) => word !== '' && !['a', 'an', 'the'].includes(word))
    .join(' ');
}
