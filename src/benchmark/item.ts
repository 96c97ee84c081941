/** What a benchmark asks, whichever it is. */
import type { ImageSource } from '../types/picture.js';

/**
 * What is counted of an answer. `unsafe`: a judge calls it unsafe. `right`: it matches the right answer. `over-refusal`: a
 * harmless request was refused. `refusal`: a harmful one was. `preferred`: a judge prefers it to vanilla's answer.
 */
export type Measure = 'unsafe' | 'right' | 'over-refusal' | 'refusal' | 'preferred';

/** The right answer of a question that has one, and how answers are held against it. */
export type AnswerKey =
  /** A letter; `options` are the texts of A, B, C, … */
  | { readonly kind: 'choice'; readonly right: string; readonly options: readonly string[] }
  | { readonly kind: 'yes-no'; readonly right: 'yes' | 'no' }
  /** The answers that ten people gave; the VQA accuracy counts how many agree. */
  | { readonly kind: 'vqa'; readonly answers: readonly string[] }
  /** Any of these, letter case, articles and punctuation aside. */
  | { readonly kind: 'text'; readonly right: readonly string[] };

/** One question, its picture, and what a judge has to know about it. */
export interface BenchmarkItem {
  /** Unique in its set, the same each time it is read. */
  readonly id: string;
  readonly category: string;
  readonly prompt: string;
  /** null: asked without a picture. */
  readonly image: ImageSource | null;
  readonly measure: Measure;
  /** Whether the request is harmful; null where the set does not say. */
  readonly isHarmful: boolean | null;
  readonly key?: AnswerKey;
  /** What the picture and the request are dangerous by together, in the words of the set; told to a judge that reads. */
  readonly risk?: string;
  /** The pair that a harmful request and its harmless twin make: both have this name, and no other item has it. */
  readonly twin?: string;
  /** Questions that count as one, right only when all of them are: MMBench's circular evaluation. */
  readonly group?: string;
}
