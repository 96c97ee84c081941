/** The options that change decisions: the same names for `loadEta` and for a single request. */
import { z } from 'zod';
import { METHODS } from './methods.js';
import type { Policy } from './policy.js';

const count = (least: number) => z.int(`expected an integer >= ${least}`).min(least, `expected an integer >= ${least}`);
const text = z.string('expected a text');
const someText = text.refine((value) => value.trim() !== '', 'expected a text that is not empty');

const thresholdsSchema = z.strictObject({
  /** A cosine: a picture with at least this CLIP score looks unsafe. @default from the CLIP manifest */
  unsafeClipScore: z
    .number('expected a number from -1 to 1')
    .min(-1, 'expected a number from -1 to 1')
    .max(1, 'expected a number from -1 to 1')
    .optional(),
  /** An answer with a reward above this is safe. @default from the reward model's manifest */
  safeReward: z.number('expected a finite number').optional(),
});

/** Fields of a zod object; each is optional and falls back to the policy. */
export const policyFields = {
  /** What is done for safety. @default 'eta' */
  method: z
    .enum(METHODS as readonly [Policy['method'], ...Policy['method'][]], `expected ${METHODS.join(', ')}`)
    .optional(),
  /** N of best-of-N, 1 to 255. @default 5 */
  candidateCount: count(1).max(255, 'expected an integer from 1 to 255').optional(),
  /** Of the search, > 0; the model's own answer is greedy. @default 1.5 */
  temperature: z.number('expected a number > 0').gt(0, 'expected a number > 0').optional(),
  /** Tokens that the search draws from, 0 = all. @default 5 */
  topK: count(0).optional(),
  /** Tokens of one sentence at most, >= 2. @default 70 */
  sentenceTokenLimit: count(2).optional(),
  /**
   * New tokens of an answer at most, >= 1; fewer where the context ends. A search with sentenceEnd 'token' begins no
   * sentence from there on, but ends the one under way. @default 1024
   */
  maxTokens: count(1).optional(),
  /** Sentences by their text, or by the vocabulary's "." alone. @default 'text'; 'token' in the paper's policy */
  sentenceEnd: z.enum(['text', 'token'], 'expected text or token').optional(),
  /** What becomes of an aligned answer that is unsafe too. @default 'refuse'; 'return' in the paper's policy */
  whenStillUnsafe: z.enum(['refuse', 'return'], 'expected refuse or return').optional(),
  /** What is said then. */
  refusalText: someText.optional(),
  /** @default 'As an AI assistant' */
  interferencePrefix: someText.optional(),
  /** Text that pictures are compared with by CLIP. @default the paper's */
  safetyPrompt: someText.optional(),
  /** User turn before a whole answer that the reward model reads. @default the reference's */
  postEvaluationPrompt: someText.optional(),
  /** User turn before the candidates that the reward model reads. @default the reference's */
  bestOfNPrompt: someText.optional(),
  /** Whether the reward model reads the conversation too. Thresholds are calibrated for 'paper'. @default 'paper' */
  rewardContext: z.enum(['paper', 'conversation'], 'expected paper or conversation').optional(),
  /** Whether the search may end before it said anything. @default false; true in the paper's policy */
  mayBeEmpty: z.boolean('expected true or false').optional(),
  /** Of the CLIP score in the search's utility, >= 0; 0 searches by the reward alone. @default 1 */
  clipWeight: z.number('expected a number >= 0').min(0, 'expected a number >= 0').optional(),
  /** Each falls back to the manifest of its model. */
  thresholds: thresholdsSchema.optional(),
};

/** Options that change decisions, without those that are thresholds. */
type Decisions = Omit<Policy, 'name'>;
type DecisionOptions = { readonly [Name in keyof Decisions]?: Decisions[Name] | undefined };

/** The policy with what the options name put in its place. */
export function overridePolicy(policy: Policy, options: DecisionOptions): Policy {
  const { name: _name, ...decisions } = policy;
  const names = Object.keys(decisions) as readonly (keyof Decisions)[];
  const named = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return { ...policy, ...(Object.fromEntries(named) as Partial<Decisions>) };
}
