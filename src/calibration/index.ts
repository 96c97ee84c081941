/** Calibration: thresholds from one's own pictures and answers. */
export { calibrate } from './calibrate.js';
export type { CalibrateOptions } from './calibrate-options.js';
export { type CalibratedPart, type Calibration, calibratedParts } from './calibration.js';
export { type CutRule, ruleText } from './cut.js';
export type { CutRates } from './fit.js';
export { calibrationReport } from './report.js';
export { thresholdsFile, withEarlier } from './thresholds.js';
