/** What programs that speak chat APIs write: read by batches and by the server alike. */
export { finishReason, messageOf, usageFields } from './completion.js';
export { type Fields, isFields, withoutNulls } from './fields.js';
export { countValues, holdsMoreValues, MOST_VALUES } from './json-size.js';
export { turnsOf } from './messages.js';
export { PASSED_OVER } from './passed-over.js';
