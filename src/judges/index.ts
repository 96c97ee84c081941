/** Judges of answers: phrases of refusal, MD-Judge's form through a local model, any OpenAI-compatible endpoint. */
export type { ChatModel, Reply } from './chat-model.js';
export { ChatEndpoint } from './endpoint.js';
export type { EndpointOptions } from './endpoint-options.js';
export { HelpfulnessComparer } from './helpfulness.js';
export type { Comparer, Comparison, Judge, JudgeItem, Judgement } from './judge.js';
export { unjudged } from './judge.js';
export {
  isRefusalList,
  KeywordJudge,
  REFUSAL_KEYWORDS,
  REFUSAL_LISTS,
  refusalKeyword,
} from './keyword.js';
export { LocalModel } from './local-model.js';
export { ListRefusals, type RefusalJudge, type RefusalJudgement } from './refusal.js';
export { RefusalClassifier } from './refusal-classifier.js';
export { OpeningRefusals } from './refusal-opening.js';
export { SAFETY_CATEGORIES } from './safety-form.js';
export { SafetyJudge } from './safety-judge.js';
