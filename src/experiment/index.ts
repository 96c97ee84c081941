/** Experiments: named questions over benchmark and batch, each with one table and one report. */
export type { Experiment, ExperimentOptions, Findings, LanguageModelFiles } from './experiment.js';
export { experimentOf } from './registry.js';
export { experimentReport } from './report.js';
export { picturesFolder } from './robustness.js';
