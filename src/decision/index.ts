/** Decisions: a question that a reply of one token answers, read from the logits. */
export { logitsBehind, MOST_LANES } from './asked-forks.js';
export { type DecisionForm, decisionForms, looseForm, readForm, SURE_MASS } from './form.js';
export { Guard } from './guard.js';
export type { GuardSession } from './guard-session.js';
export { type GuardFiles, type GuardOpener, guardContext, type OpenGuard } from './load-options.js';
export { type Reply, replyOf } from './log-odds.js';
export { SelfDecision } from './self.js';
export { tokenInTwo, WordTokens } from './word-tokens.js';
