/** Benchmarks: questions from a folder, answers through the batch runner, judgements, figures, a report. */
export {
  type Answer,
  answerInstances,
  answersOf,
  cutCounts,
  endOf,
  isReplaced,
} from './answers.js';
export { type Dataset, DatasetFolder } from './dataset.js';
export { COMPARED_METHODS, SEEDS } from './defaults.js';
export type { BenchmarkItem } from './item.js';
export { type JudgedAnswer, type Judges, judgeAnswers } from './judging.js';
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
export { type Instance, instance, interleaved, limited, plan } from './plan.js';
export {
  difference,
  differences,
  itemValues,
  rates,
} from './rates.js';
export { type ReadItems, readItems } from './read-items.js';
export { DATASETS, datasetOf } from './registry.js';
export { type Circumstances, reportData } from './report.js';
export {
  answersOutputs,
  hasAnswers,
  type Measurement,
  type MeasureOptions,
  measure,
  measureInstances,
  measurement,
  type RunPair,
} from './run.js';
export { PHASES } from './scores.js';
export { summary, summaryObject, summaryText } from './summary.js';
export { WORLD_VERDICTS, World, type WorldFacts, type WorldJudgement } from './world.js';
