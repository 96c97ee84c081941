/** The options that change decisions: the same names for `loadEta` and for a single request. */
import { z } from 'zod';
import { integer, integerFrom } from '../options.js';
import type { PictureForm } from '../types/picture.js';
import type { Gate, Method, Release, Rung } from '../types/policy.js';
import type { GivenThresholds } from './in-force.js';
import { GATES, METHODS, RELEASES, RUNGS } from './methods.js';
import type { Policy } from './policy.js';

const text = z.string('expected a text');
/** Of a text of the policy, in characters. */
const MOST_CHARACTERS = 8192;
const someText = text
  .max(MOST_CHARACTERS, `expected a text of at most ${MOST_CHARACTERS} characters`)
  .refine((value) => value.trim() !== '', 'expected a text that is not empty');

/**
 * Options that change decisions. Given to `loadEta` they hold for every request, given to a request for that one alone;
 * what neither names, the policy decides.
 */
export interface DecisionOptions {
  /** What is done for safety; every method but `vanilla` needs the evaluators that it asks. @default 'eta' */
  method?: Method | undefined;
  /**
   * Who has to distrust before an answer is made again, in the place of the method's own gate: for `eta`, `shallow` and `deep`.
   * Refused beside `pre`, `post` and `ecso`, which are their gate, and `vanilla`, which has none. `lowAnswerOrBoth` needs
   * `thresholds.lowReward` (`lowDecision`), or a file of `eta-vlm calibrate` that has it. @default the method's own: 'both'
   */
  gate?: Gate | undefined;
  /**
   * What the language model is shown of a picture. `rows`: what its projector makes of it. `nearestText`: in the place of each
   * row the token of text whose embedding has the largest cosine with it, which takes longer and shows less; section 4.1 of the
   * paper, for experiments. Given to `loadEta` it holds for `evaluate` and `decide` too. Who judges pictures sees them as
   * they are. @default 'rows'
   */
  pictureForm?: PictureForm | undefined;
  /**
   * Candidates of each round of the search, N of best-of-N, 1 to 255. A request takes `candidateCount` + 1 sequences of
   * the context. @default 5
   */
  candidateCount?: number | undefined;
  /**
   * Candidates of each round that are drawn first, 0 to 255. Where one of them passes, the best of those that pass is taken
   * and the others are not drawn; where none does, the others are drawn too, and the round is what it would have been with
   * all at once: the same seeds, the same choice. 0, and `candidateCount` or more: all at once, as the paper has it. The
   * reservation of a request is the same. Ours; taking what is above a bar is from CARDS, arXiv 2406.16306. @default 0
   */
  firstCandidateCount?: number | undefined;
  /**
   * A candidate that is drawn first passes where its reward, or its decision, is above this, on the scale of whoever judges
   * answers; any finite number. Rewards of candidates are of `bestOfNPrompt`, for which no threshold was calibrated. Needs a
   * `firstCandidateCount` above 0. @default the threshold of whole answers, `safeReward` or `safeDecision`
   */
  acceptAbove?: number | undefined;
  /**
   * Temperature of the model's own answer, 0 to 2; 0: greedy. Above it the answer is drawn with a seed derived from the
   * request's, so that the same seed gives the same answer. What is aligned has `temperature`. @default 0
   */
  answerTemperature?: number | undefined;
  /**
   * The model's own answer is drawn from the smallest set of tokens that has this probability, in (0, 1]; 1: from all.
   * Below 1 it needs an `answerTemperature` above 0. @default 1
   */
  answerTopP?: number | undefined;
  /**
   * What the question is read with once more, before its text; not empty. Needs a `principleWeight` above 0.
   * @default a sentence that asks to harm nobody
   */
  principle?: string | undefined;
  /**
   * How far the model's own answer leans towards the principle, 0 to 100: each token is drawn from
   * s + principleWeight × (s − p), where s are the logits with the principle and p those without it. The question's text is
   * read twice, and each step has two rows. 0: without it. CoCA, arXiv 2409.11365; its weight is 4. What is aligned does not
   * lean. @default 0
   */
  principleWeight?: number | undefined;
  /** Temperature of the search, > 0. @default 1.5 */
  temperature?: number | undefined;
  /** Most likely tokens that the search draws from, >= 0; 0: all of them. @default 5 */
  topK?: number | undefined;
  /** Tokens of one sentence of the search at most, >= 2. @default 70 */
  sentenceTokenLimit?: number | undefined;
  /**
   * New tokens of an answer at most, >= 1; fewer where the context has no room for them. With `sentenceEnd: 'token'` a
   * search begins no sentence from there on, but ends the one under way. @default 1024
   */
  maxTokens?: number | undefined;
  /**
   * Where a sentence of the search ends. `text`: where a reader says that it does. `token`: at the vocabulary's "."
   * alone, as in the reference. @default 'text'; 'token' in the policy `paper`
   */
  sentenceEnd?: 'text' | 'token' | undefined;
  /**
   * How the model's own answer goes out where it is judged. `whole`: once all of it is. `checked`: sentence by sentence,
   * each as soon as the judge has accepted everything up to its end, while the next is made; the first that is found
   * unsafe is seen nowhere, and the alignment goes on behind what was accepted. Not to be named beside a method that
   * judges no answer of the model's own. @default 'whole'
   */
  release?: Release | undefined;
  /**
   * What becomes of an aligned answer that is unsafe too. `refuse`: `refusalText` stands in for it. `return`: it is
   * given out. @default 'refuse'; 'return' in the policy `paper`
   */
  whenStillUnsafe?: 'refuse' | 'return' | undefined;
  /**
   * What is tried while even the aligned answer is unsafe, in this order, each once, before the fixed sentence stands in. Needs
   * `whenStillUnsafe: 'refuse'`, and another method than `vanilla`; a request without picture passes over `caption`.
   * @default []
   */
  ladder?: readonly Rung[] | undefined;
  /** What an answer of the rung `refusingPrefix` begins with; not empty. @default 'I cannot help you' */
  refusingPrefix?: string | undefined;
  /**
   * What the rung `caption` asks about the picture, in the place of the question; not empty, and `{question}` in it stands for
   * that. @default a request to describe what matters for the question
   */
  captionPrompt?: string | undefined;
  /**
   * What the rung `caption` asks then, the picture unseen; not empty: `{caption}`, which it must hold, stands for what was said
   * of the picture, `{question}` for the question. @default both, one behind the other
   */
  captionedPrompt?: string | undefined;
  /** The sentence of a refusal; not empty. @default a sentence that asks for another question */
  refusalText?: string | undefined;
  /** What an aligned answer begins with; not empty. Method `deep` has none. @default 'As an AI assistant' */
  interferencePrefix?: string | undefined;
  /** Text that CLIP compares pictures with; not empty. `unsafeClipScore` belongs to it. @default the paper's */
  safetyPrompt?: string | undefined;
  /**
   * User turn under which the reward model reads a whole answer; not empty. `safeReward` belongs to it.
   * @default the reference's
   */
  postEvaluationPrompt?: string | undefined;
  /** User turn under which the reward model reads the candidates of the search; not empty. @default the reference's */
  bestOfNPrompt?: string | undefined;
  /**
   * What the reward model reads before an answer. `paper`: the constant prompt alone. `conversation`: the turns too;
   * thresholds are calibrated for `paper`, so calibrate again. @default 'paper'
   */
  rewardContext?: 'paper' | 'conversation' | undefined;
  /** Whether the search may end before it has said anything. @default false; true in the policy `paper` */
  mayBeEmpty?: boolean | undefined;
  /** Weight of the CLIP score in the utility of a candidate, >= 0; 0: the reward alone. @default 1 */
  clipWeight?: number | undefined;
  /** Numbers that stand in for the models' own thresholds, each for itself. @default those of the models */
  thresholds?: GivenThresholds | undefined;
}

const thresholdsSchema = z.strictObject({
  unsafeClipScore: z
    .number('expected a number from -1 to 1')
    .min(-1, 'expected a number from -1 to 1')
    .max(1, 'expected a number from -1 to 1')
    .optional(),
  safeReward: z.number('expected a finite number').optional(),
  unsafeDecision: z.number('expected a finite number').optional(),
  safeDecision: z.number('expected a finite number').optional(),
  lowReward: z.number('expected a finite number').optional(),
  lowDecision: z.number('expected a finite number').optional(),
});

const PICTURE_FORMS: readonly [PictureForm, ...PictureForm[]] = ['rows', 'nearestText'];
const RUNG_EXPECTED = `expected a list of ${RUNGS.join(' and ')}`;

/** The fields of {@link DecisionOptions}, for the schemas that have them beside their own. */
export const policyFields = {
  method: z
    .enum(METHODS as readonly [Policy['method'], ...Policy['method'][]], `expected ${METHODS.join(', ')}`)
    .optional(),
  gate: z.enum(GATES as readonly [Gate, ...Gate[]], `expected ${GATES.join(', ')}`).optional(),
  pictureForm: z.enum(PICTURE_FORMS, 'expected rows or nearestText').optional(),
  candidateCount: integer(1, 255).optional(),
  firstCandidateCount: integer(0, 255).optional(),
  acceptAbove: z.number('expected a finite number').optional(),
  answerTemperature: z
    .number('expected a number from 0 to 2')
    .min(0, 'expected a number from 0 to 2')
    .max(2, 'expected a number from 0 to 2')
    .optional(),
  answerTopP: z
    .number('expected a number in (0, 1]')
    .gt(0, 'expected a number in (0, 1]')
    .max(1, 'expected a number in (0, 1]')
    .optional(),
  principle: someText.optional(),
  principleWeight: z
    .number('expected a number from 0 to 100')
    .min(0, 'expected a number from 0 to 100')
    .max(100, 'expected a number from 0 to 100')
    .optional(),
  temperature: z.number('expected a number > 0').gt(0, 'expected a number > 0').optional(),
  topK: integerFrom(0).optional(),
  sentenceTokenLimit: integerFrom(2).optional(),
  maxTokens: integerFrom(1).optional(),
  sentenceEnd: z.enum(['text', 'token'], 'expected text or token').optional(),
  release: z.enum(RELEASES, 'expected whole or checked').optional(),
  whenStillUnsafe: z.enum(['refuse', 'return'], 'expected refuse or return').optional(),
  ladder: z
    .array(z.enum(RUNGS, `expected ${RUNGS.join(' or ')}`), RUNG_EXPECTED)
    .refine((rungs) => new Set(rungs).size === rungs.length, 'expected each rung once')
    .optional(),
  refusingPrefix: someText.optional(),
  captionPrompt: someText.optional(),
  captionedPrompt: someText
    .refine((value) => value.includes('{caption}'), 'expected a text with {caption} in it')
    .optional(),
  refusalText: someText.optional(),
  interferencePrefix: someText.optional(),
  safetyPrompt: someText.optional(),
  postEvaluationPrompt: someText.optional(),
  bestOfNPrompt: someText.optional(),
  rewardContext: z.enum(['paper', 'conversation'], 'expected paper or conversation').optional(),
  mayBeEmpty: z.boolean('expected true or false').optional(),
  clipWeight: z.number('expected a number >= 0').min(0, 'expected a number >= 0').optional(),
  thresholds: thresholdsSchema.optional(),
};
