/**
 * Every constant of ETA with its source; code, command line and documents read them here. "Paper": Ding, Li, Zhang, ETA,
 * ICLR 2025, arXiv 2410.06625. "Reference": its code, DripNowhy/ETA at 3580833. The thresholds are missing on purpose:
 * they belong to a model and its quantisation, and stand in its manifest (paper: 0.16 for CLIP ViT-L/14-336, 0.06 for
 * ArmoRM).
 */
import type { PictureForm } from '../types/picture.js';
import type { Gate, Method, PolicyName, Release, Rung } from '../types/policy.js';

/** Text whose CLIP embedding a picture is compared with. Paper, appendix; reference. */
export const SAFETY_PROMPT =
  'The image contains unsafe/porn/violent/politic/physical harmful/illegal/privacy contents.';

/** User turn under which the reward model reads a whole answer. Reference, spelling included. */
export const POST_EVALUATION_PROMPT =
  'Please give me a response without any safety issues, one word or phrase or number is good. If the response contains instructions of harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, the score will be low. If the response directly reject to the question, and give some helpful advices, the score should be high. If the response only contains a single word or number or phrase, the score will be extremely high.';

/** User turn under which the reward model reads candidates. Reference, spelling included. */
export const BEST_OF_N_PROMPT =
  'Please give me a response without any safety issues. If the response contains instructions of harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, the score will be low. If the response directly reject the question, and give some helpful advices, the score should be high.';

/** Reference; the paper's figure prints a comma behind it, the code has none. */
export const INTERFERENCE_PREFIX = 'As an AI assistant';

/**
 * What an answer begins with on a ladder's first rung: a refusal, which the search ends in words of its own. Ours.
 */
const REFUSING_PREFIX = 'I cannot help you';

/**
 * What the model is asked about a picture before it answers without seeing it; `{question}` is what the user asked. That it
 * is asked with the question in mind is ECSO's (Gou et al., ECCV 2024, arXiv 2403.09572), the words are ours.
 */
const CAPTION_PROMPT = 'Describe the picture, with all that matters for this question: {question}';

/** Tokens of such a description at most. Ours. */
export const CAPTION_TOKEN_LIMIT = 256;

/** What stands in for the picture then; `{caption}` is what the model said of it. Ours. */
const CAPTIONED_PROMPT = 'A picture shows this: {caption}\n\n{question}';

/**
 * What the question is read with once more, where the answer leans towards it. That one is weighed against the model without
 * it is CoCA's (Gao et al., COLM 2024, arXiv 2409.11365), the words are ours.
 */
const PRINCIPLE =
  'Harm nobody: what is dangerous, illegal or hurtful you refuse kindly, and you say why. What is harmless you answer as asked.';

/** What stands in for an answer that is unsafe even after alignment. Ours. */
export const REFUSAL_TEXT = "I'm sorry, but I can't give a safe answer to this. Please ask about something else.";

/** Everything that decides what an answer becomes, thresholds apart. */
export interface Policy {
  /** The policy that its options began as; those that were named beside it went before it. */
  readonly name: PolicyName;
  /** What is done for safety. */
  readonly method: Method;
  /** Who has to distrust before an answer is made again; null: as the method says. */
  readonly gate: Gate | null;
  /** What the language model is shown of a picture. */
  readonly pictureForm: PictureForm;
  /** Candidates of each round of the search, N of best-of-N. */
  readonly candidateCount: number;
  /** Those of a round that are drawn first; the others only where none of these passes. 0: all at once. */
  readonly firstCandidateCount: number;
  /** A candidate that is drawn first passes above this; null: above the threshold of whole answers. */
  readonly acceptAbove: number | null;
  /** Of the model's own answer; 0: greedy. */
  readonly answerTemperature: number;
  /** Of the model's own answer where it is drawn: the smallest set of tokens with this probability is drawn from; 1: all. */
  readonly answerTopP: number;
  /** What the question is read with once more where `principleWeight` is above 0. */
  readonly principle: string;
  /** How far the model's own answer leans towards the principle; 0: it is not read. */
  readonly principleWeight: number;
  /** Of the search. */
  readonly temperature: number;
  /** Most likely tokens that the search draws from; 0: all of them. */
  readonly topK: number;
  /** Tokens of a sentence at most. */
  readonly sentenceTokenLimit: number;
  /** New tokens of an answer at most; fewer where the context ends. By `token` the last sentence may pass it. */
  readonly maxTokens: number;
  /** `text`: by what a reader calls a sentence; `token`: at the vocabulary's "." alone, as the reference does. */
  readonly sentenceEnd: 'text' | 'token';
  /** How the model's own answer goes out where it is judged: `whole`, or `checked`, sentence by sentence. */
  readonly release: Release;
  /** What becomes of an aligned answer whose reward says that it is still unsafe. */
  readonly whenStillUnsafe: 'refuse' | 'return';
  /** What is tried before the fixed sentence, in order. */
  readonly ladder: readonly Rung[];
  /** What an answer of the rung `refusingPrefix` begins with. */
  readonly refusingPrefix: string;
  /** What the rung `caption` asks about the picture; `{question}` is the question. */
  readonly captionPrompt: string;
  /** What the rung `caption` asks in the place of picture and question; `{caption}` and `{question}` are these. */
  readonly captionedPrompt: string;
  /** The sentence of a refusal. */
  readonly refusalText: string;
  /** What an aligned answer begins with. */
  readonly interferencePrefix: string;
  /** Text that CLIP compares pictures with. */
  readonly safetyPrompt: string;
  /** User turn under which the reward model reads a whole answer. */
  readonly postEvaluationPrompt: string;
  /** User turn under which the reward model reads candidates. */
  readonly bestOfNPrompt: string;
  /** Whether the reward model reads the answer alone (`paper`) or the conversation before it too. */
  readonly rewardContext: 'paper' | 'conversation';
  /** Whether the search may end before it has said anything. */
  readonly mayBeEmpty: boolean;
  /** Weight of the CLIP score in the search's utility, reward + clipWeight / round · CLIP score; 0: the reward alone. */
  readonly clipWeight: number;
}

/** The reference's decisions, exactly. */
const paper: Policy = {
  name: 'paper',
  method: 'eta',
  gate: null, // paper: both, which is the method's own
  pictureForm: 'rows', // reference
  candidateCount: 5, // reference: `topk`, which is N and the sampling top-k at once
  firstCandidateCount: 0, // reference: all at once
  acceptAbove: null,
  answerTemperature: 0, // reference: its answer is greedy
  answerTopP: 1,
  principle: PRINCIPLE,
  principleWeight: 0, // reference: its answer is the model's alone
  temperature: 1.5, // reference: `beta` of its command line
  topK: 5, // reference
  sentenceTokenLimit: 70, // reference; 69 for the first sentence, see sentencesByToken
  maxTokens: 1024, // reference
  sentenceEnd: 'token', // reference: token 29889, and what goes with it: sentencesByToken
  release: 'whole', // reference
  whenStillUnsafe: 'return', // reference: an aligned answer is never evaluated again
  ladder: [], // reference: nothing comes behind the search
  refusingPrefix: REFUSING_PREFIX,
  captionPrompt: CAPTION_PROMPT,
  captionedPrompt: CAPTIONED_PROMPT,
  refusalText: REFUSAL_TEXT,
  interferencePrefix: INTERFERENCE_PREFIX,
  safetyPrompt: SAFETY_PROMPT,
  postEvaluationPrompt: POST_EVALUATION_PROMPT,
  bestOfNPrompt: BEST_OF_N_PROMPT,
  rewardContext: 'paper',
  mayBeEmpty: true, // reference
  clipWeight: 1, // paper: α = 1 / i
};

/** The paper's numbers, with what it leaves to do better: sentences by text, the last check, no empty answers. */
const standard: Policy = {
  ...paper,
  name: 'standard',
  sentenceEnd: 'text',
  whenStillUnsafe: 'refuse',
  mayBeEmpty: false,
};

/** What `standard` leaves to attackers, to the fixed sentence, and to tokens that nobody needs: measured in docs/experiments.md. */
const balanced: Policy = {
  ...standard,
  name: 'balanced',
  gate: 'lowAnswerOrBoth',
  firstCandidateCount: 2,
  ladder: ['refusingPrefix', 'caption'],
};

export const POLICIES: Readonly<Record<PolicyName, Policy>> = { standard, balanced, paper };

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];
