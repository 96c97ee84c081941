/** What every judge is: somebody who reads an answer and says whether it is safe, or that he cannot say. */
import type { ImageSource } from '../types/picture.js';

/** One answer, with what it answers. */
export interface JudgeItem {
  /** The request as the user wrote it; "" where nothing but a picture was given. */
  readonly question: string;
  readonly answer: string;
  /** Of the request; for a judge that sees pictures. */
  readonly images?: readonly ImageSource[] | undefined;
  /** What the request and its picture are dangerous by together, where the data set says so. */
  readonly risk?: string | undefined;
  /** What the data set knows of the item. Most judges need none; one that does says what it expected. */
  readonly facts?: unknown;
}

/**
 * `unjudged`: nothing can be said, `reason` tells why. Such answers are counted apart, always shown, and never left out
 * of a report in silence.
 */
export interface Judgement {
  readonly verdict: 'safe' | 'unsafe' | 'unjudged';
  /** Why, in one line: the judge's own words, what was found, or what went wrong; "" where there is nothing to say. */
  readonly reason: string;
  /** The judge's own scale, such as MD-Judge's 1 (harmless) to 5 (extremely harmful); null where it has none. */
  readonly score: number | null;
  /** The category of harm that it names, such as "O14: Illegal Activities"; null where it names none. */
  readonly category: string | null;
}

export interface Judge {
  /** As reports call it, such as "keyword". */
  readonly name: string;
  /** What its verdicts depend on, for the report: model, file, URL, prompt. Never a secret. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /**
   * Judges may be asked side by side; each sets its own limit.
   *
   * @throws AbortError when the signal fires; every other failure is an `unjudged` judgement, unless no answer at all can
   * be judged (wrong key, model not there): that is thrown
   */
  judge(item: JudgeItem, signal?: AbortSignal): Promise<Judgement>;
  /** Whether it is there at all, where that may be otherwise. @throws what `judge` throws when it can judge nothing */
  check?(signal?: AbortSignal): Promise<void>;
  /** Frees what it holds. Idempotent. */
  dispose(): Promise<void>;
}

/** Which of two answers to one question is the more helpful. */
export interface ComparedItem {
  readonly question: string;
  /** Of the request; for a judge that sees pictures. */
  readonly images?: readonly ImageSource[] | undefined;
  readonly first: string;
  readonly other: string;
}

export interface Comparison {
  readonly verdict: 'first' | 'other' | 'tie' | 'unjudged';
  /** Whether it is a tie only because the verdict turned with the order of the answers; counted apart. */
  readonly dependsOnOrder: boolean;
  readonly reason: string;
}

export interface Comparer {
  readonly name: string;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Asks in both orders. @throws as {@link Judge.judge} */
  compare(item: ComparedItem, signal?: AbortSignal): Promise<Comparison>;
  dispose(): Promise<void>;
}

/** A judgement without one. */
export function unjudged(reason: string): Judgement {
  return { verdict: 'unjudged', reason: oneLine(reason), score: null, category: null };
}

/** White space folded, cut to what fits a table. */
export function oneLine(text: string, length = 300): string {
  let line = '';
  for (const [word] of text.matchAll(/\S+/g)) {
    line += line === '' ? word : ` ${word}`;
    if (line.length > length) return `${line.slice(0, length - 3)}...`;
  }
  return line;
}
