/** Experiments: named questions over benchmark and batch, each with one table and one report. */
export type {
  Experiment,
  ExperimentOptions,
  Findings,
  LanguageModelFiles,
  Room,
  RunOptions,
} from './experiment.js';
export { EXPERIMENT_LINES, EXPERIMENT_NAMES, type ExperimentName } from './names.js';
export { EXPERIMENTS, experimentOf } from './registry.js';
export { experimentReport, type RunFacts } from './report.js';
export { picturesFolder } from './robustness.js';
