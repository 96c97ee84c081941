/** Benchmarks: questions from a folder, answers through the batch runner, judgements, figures, a report. */
export {
  type Answer,
  answerInstances,
  answersOf,
  cutCounts,
  endOf,
  isReplaced,
  madeText,
  textBehindPrefix,
} from './answers.js';
export { type Dataset, DatasetFolder } from './dataset.js';
export { type Match, match } from './exact-match.js';
export type { AnswerKey, BenchmarkItem, Measure } from './item.js';
export { type JudgedAnswer, type Judges, type JudgingOptions, judgeAnswers } from './judging.js';
export { labelOf } from './labels.js';
export {
  factsOf,
  MINIATURE_ROOT,
  type MiniatureItem,
  MiniatureJudge,
  type MiniatureSet,
  miniature,
  readMiniature,
} from './miniature.js';
export { answerSeed, type Instance, instance, interleaved, limited, plan } from './plan.js';
export {
  difference,
  differences,
  itemValues,
  type MeasuredDifference,
  type MeasuredRate,
  pairedValues,
  rates,
} from './rates.js';
export { DATASETS, datasetOf } from './registry.js';
export { type Circumstances, reportData } from './report.js';
export {
  answersOutputs,
  answersPath,
  type Measurement,
  type MeasureOptions,
  measure,
  measurement,
  type ReadItems,
  readItems,
} from './run.js';
export { type Summary, summary, summaryObject, summaryText } from './summary.js';
export { WORLD_VERDICTS, World, type WorldFacts, type WorldJudgement, type WorldVerdict } from './world.js';
