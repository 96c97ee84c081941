/** Decisions: whether an answer is safe, as the log-odds of a reply of one token. */
export { type DecisionForm, decisionForms, looseForm, readForm } from './form.js';
export { Guard } from './guard.js';
export type { GuardSession } from './guard-session.js';
export { type GuardFiles, type GuardOpener, guardContext, type OpenGuard } from './load-options.js';
export { SelfDecision } from './self.js';
