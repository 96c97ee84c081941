/** What was verified and has not changed since: remembered from one process to the next, where that is asked for. */
export { type HashCheck, hashCheckSchema } from './hash-check.js';
export { stampOf } from './stamp.js';
export { differingSha256, sha256Of, trialOf } from './verified.js';
