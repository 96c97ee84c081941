/** Judges of answers: refusal keywords, MD-Judge's form through a local model, any OpenAI-compatible endpoint. */
export type { ChatModel, ChatTurn, Reply } from './chat-model.js';
export { ChatEndpoint, ENDPOINT_VARIABLES, type EndpointOptions } from './endpoint.js';
export { HelpfulnessComparer } from './helpfulness.js';
export type { ComparedItem, Comparer, Comparison, Judge, JudgeItem, Judgement } from './judge.js';
export { unjudged } from './judge.js';
export { KeywordJudge, REFUSAL_KEYWORDS, refusalKeyword } from './keyword.js';
export { LocalModel, type LocalModelOptions } from './local-model.js';
export { SAFETY_CATEGORIES } from './safety-form.js';
export { SafetyJudge } from './safety-judge.js';
