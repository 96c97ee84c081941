/** Experiments: named questions over benchmark and batch, each with one table and one report. */
export { type Arm, type ArmOptions, type ArmsOptions, measureArms, type Trial } from './arms.js';
export { type ChangedItem, type ChangeOptions, changedItems, type SearchNote } from './changed-pictures.js';
export {
  CANDIDATE_COUNTS,
  type OverheadOptions,
  overheadArms,
  overheadCurves,
  overheadTable,
  overheadTimes,
  type Timed,
  timeArms,
} from './overhead.js';
export { PICTURE_CHANGES, type PictureChange } from './picture-changes.js';
export { PRESETS, type Preset, presetTable, presetTrials } from './presets.js';
export {
  ROBUSTNESS_ARMS,
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  robustnessTrials,
  searchNotes,
} from './robustness.js';
