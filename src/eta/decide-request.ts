/** What `decide` takes and gives. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { UsageError } from '../errors.js';
import { parseOptions } from '../options.js';
import type { ImageSource, PictureForm } from '../types/picture.js';
import type { Timings, Usage } from '../types/result.js';
import type { Turn } from '../types/turn.js';
import { checkCounts } from './request-counts.js';
import { turnFields, turnsOf } from './request-turns.js';
import { type Sharing, sharingFields, sharingOf } from './sharing.js';

/** Whether something is so. */
export interface PredicateQuestion {
  /** Tells the questions apart. */
  type: 'predicate';
  /** A question that yes or no answers, 1 to 8,192 characters. */
  question: string;
}

/** Which of several it is. */
export interface ChoiceQuestion {
  /** Tells the questions apart. */
  type: 'choice';
  /** A question that one of the choices answers, 1 to 8,192 characters. */
  question: string;
  /** 2 to 26 texts of 1 to 256 characters, no two of which read alike. */
  choices: readonly string[];
}

/** How much of something it is. */
export interface ScoreQuestion {
  /** Tells the questions apart. */
  type: 'score';
  /** A question that a whole number answers, 1 to 8,192 characters. */
  question: string;
  /** The least value, an integer from -1000000 to 1000000. */
  from: number;
  /** The largest: above `from`, and at most 10 above it. */
  to: number;
}

/** A question that is decided by its answers' probabilities. */
export type DecideQuestion = PredicateQuestion | ChoiceQuestion | ScoreQuestion;

/** What every request for decisions has beside its conversation. */
export interface DecideOptions {
  /** 1 to 64 questions. Each stands behind the conversation by itself: none sees another, or its answer. */
  questions: readonly DecideQuestion[];
  /**
   * Whether it may start from what earlier requests left, and leave what it read. @default the Eta's, true unless it was
   * loaded otherwise
   */
  reuse?: boolean | undefined;
  /**
   * Whether it runs alone and takes nothing that others left, so that what comes of it depends on nothing else that is
   * asked: `LoadEtaOptions`. Others wait meanwhile. @default the Eta's, false unless it was loaded otherwise
   */
  exact?: boolean | undefined;
  /** Ends it with an AbortError, within one step of the model. */
  signal?: AbortSignal | undefined;
}

/** Questions about pictures, a text, or both; or about neither. */
export interface DecideAbout extends DecideOptions {
  /** What the questions are about; it stands before each. @default none */
  prompt?: string | undefined;
  /** A picture; it stands before the questions. @default none */
  image?: ImageSource | undefined;
  /** Several, at most 1,024. Not beside `image`. @default none */
  images?: readonly ImageSource[] | undefined;
  /** Not beside the others: see {@link DecideConversation}. */
  turns?: undefined;
}

/** Questions about a conversation. */
export interface DecideConversation extends DecideOptions {
  /**
   * As {@link ConversationRequest} has them; an assistant turn may stand last. Behind it the question is the user's next
   * turn, behind a user turn it is the rest of that.
   */
  turns: readonly Turn[];
  /** Not beside `turns`. */
  prompt?: undefined;
  /** Not beside `turns`. */
  image?: undefined;
  /** Not beside `turns`. */
  images?: undefined;
}

/** What `decide` takes. */
export type DecideRequest = DecideAbout | DecideConversation;

/** What every decision tells. */
interface DecisionMass {
  /**
   * Probability that the model answers at all, 0 to 1: of all answers of the question together. Below 0.5 nothing is
   * decided, and the rest is null: more than half of what it would say is something else.
   */
  readonly mass: number;
}

/** Of a {@link PredicateQuestion}. */
export interface PredicateDecision extends DecisionMass {
  /** Tells the decisions apart. */
  readonly type: 'predicate';
  /** Of yes, where it is yes or no: 0 to 1. */
  readonly probability: number | null;
}

/** Of a {@link ChoiceQuestion}. */
export interface ChoiceDecision extends DecisionMass {
  /** Tells the decisions apart. */
  readonly type: 'choice';
  /** The likeliest choice, the first of equals. */
  readonly choice: string | null;
  /** Its probability, where it is one of them. */
  readonly probability: number | null;
  /** Of each choice, in the order of the question; together 1. */
  readonly probabilities: readonly number[] | null;
}

/** Of a {@link ScoreQuestion}. */
export interface ScoreDecision extends DecisionMass {
  /** Tells the decisions apart. */
  readonly type: 'score';
  /** The expectation: every value by its probability. */
  readonly score: number | null;
  /** The probability of the likeliest value. */
  readonly probability: number | null;
  /** Of each value from `from` to `to`; together 1. */
  readonly probabilities: readonly number[] | null;
}

/** What came of a question. */
export type AskedDecision = PredicateDecision | ChoiceDecision | ScoreDecision;

/** What came of the questions. */
export interface DecideResult {
  /** One for each question, in their order. */
  readonly decisions: readonly AskedDecision[];
  /**
   * What it took, in tokens: the prompt is what all questions share, and is read once; `rewardTokenCount` counts what each
   * has behind it. Nothing is sampled.
   */
  readonly usage: Usage;
  /** What it took, in milliseconds: `prefillMs` of what they share, `rewardMs` of the questions. */
  readonly timings: Timings;
  /** Name of the language model. */
  readonly model: string;
}

const MOST_QUESTIONS = 64;
const QUESTION = 'expected a question of 1 to 8192 characters';
const questionText = z
  .string(QUESTION)
  .max(8192, QUESTION)
  .refine((text) => text.trim() !== '', QUESTION);
const CHOICES = 'expected 2 to 26 choices of 1 to 256 characters';
const VALUE = 'expected an integer from -1000000 to 1000000';
const value = z.int(VALUE).min(-1e6, VALUE).max(1e6, VALUE);
const choiceText = z
  .string(CHOICES)
  .max(256, CHOICES)
  .refine((text) => text.trim() !== '', CHOICES);

const questionSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('predicate'), question: questionText }),
    z.strictObject({
      type: z.literal('choice'),
      question: questionText,
      choices: z.array(choiceText, CHOICES).min(2, CHOICES).max(26, CHOICES),
    }),
    z.strictObject({ type: z.literal('score'), question: questionText, from: value, to: value }),
  ],
  "expected a question of type 'predicate', 'choice' or 'score'",
);

/** Questions as they have to be written. */
export const questionsSchema = z
  .array(questionSchema, 'expected an array of questions')
  .min(1, 'expected at least one question')
  .max(MOST_QUESTIONS, `expected at most ${MOST_QUESTIONS} questions`);

const decideSchema = z.strictObject(
  {
    ...turnFields,
    questions: questionsSchema,
    ...sharingFields,
    signal: signalSchema.optional(),
  },
  'expected { image, prompt, questions } or { turns, questions }',
);

/** Questions that can be asked. */
export interface CheckedDecide extends Sharing {
  readonly turns: readonly Turn[];
  readonly questions: readonly DecideQuestion[];
  /** What the model is shown of pictures, as was said at loading. */
  readonly pictureForm: PictureForm;
  readonly signal: AbortSignal | undefined;
}

/** @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION, ERR_INVALID_REQUEST, ERR_PROMPT_TOO_LONG */
export function parseDecide(
  request: DecideRequest,
  defaults: Sharing & { readonly policy: { readonly pictureForm: PictureForm } },
): CheckedDecide {
  checkCounts(request);
  const parsed = parseOptions(decideSchema, request, 'request');
  const turns = turnsOf(parsed, { mayBeSilent: true, mayEndWithAnswer: true });
  for (const [index, question] of parsed.questions.entries()) checkQuestion(question, `questions.${index}`);
  const { questions, signal } = parsed;
  const { pictureForm } = defaults.policy;
  return { turns, questions, pictureForm, ...sharingOf(parsed, defaults), signal };
}

function checkQuestion(question: DecideQuestion, place: string): void {
  if (question.type === 'choice') {
    const read = question.choices.map((choice) => choice.trim().toLowerCase());
    const twice = read.findIndex((choice, at) => read.indexOf(choice) < at);
    if (twice >= 0)
      throw invalid(`${place}.choices: expected choices that read differently, received two like ${twice + 1}.`);
  }
  if (question.type !== 'score') return;
  const { from, to } = question;
  if (to > from && to - from <= 10) return;
  throw invalid(`${place}: expected a score of 2 to 11 values, received one from ${from} to ${to}.`);
}

function invalid(message: string): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}`);
}
