/** Many requests, answered into a file that survives whatever happens to the process. */
export type { LockHolder, Output, Place } from '../outputs/index.js';
export type {
  AnswerLine,
  AnswerRound,
  AnswerRung,
  AnswerTrace,
  AnswerUsage,
  BatchRequest,
  KeptParts,
  LineError,
  RefusedRequest,
} from './answer-line.js';
export { answersPath, checkAnswersPlace } from './answers-place.js';
export type { FieldMap } from './columns.js';
export { type ContextRoom, roomFor } from './context-room.js';
export { BATCH_SEED, CONCURRENCY } from './defaults.js';
export { digestOf, seedOf } from './digest.js';
export { ANSWERS_FORMATS, type AnswersFormat, type RequestsFormat, type StreamedFormat } from './formats.js';
export type { KnownAnswer } from './known-answers.js';
export { type Merged, type MergeResultsOptions, mergeResults } from './merge.js';
export {
  checkImageRoot,
  checkReadable,
  countRequests,
  formatOf,
  type ReadingOptions,
  type RequestsOptions,
  readRequests,
  requestsOf,
  type StreamedRequestsOptions,
} from './requests-file.js';
export { ResultsFile, type RewriteOptions } from './results-file.js';
export { readAnswers } from './results-lines.js';
export type { ResultsFileOptions } from './results-options.js';
export { checkResultsPlace, type ResultsPlaceOptions, resultsOutputs } from './results-place.js';
export { type BatchSummary, runBatch } from './run.js';
export type { BatchProgress, RunBatchOptions } from './run-options.js';
export { type Environment, scheduledShard } from './scheduled-shard.js';
export { type BatchDecisions, type BatchSettings, type SettingValue, settingsOf } from './settings.js';
export { readSettings, settingsPath } from './settings-file.js';
export { type Shard, shardOf } from './shard.js';
export type { TallyCounts } from './tally.js';
export { type WriteAnswersOptions, writeAnswers } from './written-answers.js';
