/** Experiments: named questions over benchmark and batch, each with one table and one report. */
export { type Arm, measureArms, type Trial } from './arms.js';
export { changedItems } from './changed-pictures.js';
export {
  CANDIDATE_COUNTS,
  overheadCurves,
  overheadTable,
  overheadTimes,
  type Timed,
  timeArms,
} from './overhead.js';
export { PICTURE_CHANGES } from './picture-changes.js';
export { PRESETS, presetTable, presetTrials } from './presets.js';
export {
  ROBUSTNESS_ARMS,
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  robustnessTrials,
  searchNotes,
} from './robustness.js';
