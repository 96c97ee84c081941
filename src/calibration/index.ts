/** Calibration: thresholds from one's own pictures and answers. */
export { type Calibrated, type CalibrateOptions, type Calibration, calibrate } from './calibrate.js';
export { type CutRule, ruleText } from './cut.js';
export type { CutRates, Fit, Scored } from './fit.js';
export type { Unread } from './pictures.js';
export { calibrationReport, type ReportRun } from './report.js';
export { type CalibrationRun, thresholdsFile } from './thresholds.js';
