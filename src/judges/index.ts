/** Judges of answers: refusal keywords, MD-Judge's form through a local model, any OpenAI-compatible endpoint. */
export type { ChatModel, Reply } from './chat-model.js';
export { ChatEndpoint, type EndpointOptions } from './endpoint.js';
export { HelpfulnessComparer } from './helpfulness.js';
export type { Comparer, Comparison, Judge, JudgeItem, Judgement } from './judge.js';
export { unjudged } from './judge.js';
export { KeywordJudge, REFUSAL_KEYWORDS, refusalKeyword } from './keyword.js';
export { LocalModel } from './local-model.js';
export { SAFETY_CATEGORIES } from './safety-form.js';
export { SafetyJudge } from './safety-judge.js';
