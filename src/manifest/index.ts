/** What stands beside an evaluator's graphs: how to drive them, what they must reproduce, and thresholds found for them. */
export { HISTOGRAM_FILE, type ScoreBin, scoreHistograms } from './histograms.js';
export {
  type ClipManifest,
  clipManifestSchema,
  filesOf,
  type GraphManifest,
  type RewardManifest,
  readManifest,
  rewardManifestSchema,
  type TrunkManifest,
  verifyFiles,
} from './manifest.js';
export { readClip } from './published-clip.js';
export { columnsOf, gateOutputOf, type ScoreForm, scoreOutputOf } from './score-form.js';
export { checkSelfTest, type SelfTestResult, selfTestResult } from './self-test.js';
export { testPicture } from './test-picture.js';
export {
  checkBond,
  type DecisionThresholds,
  installedThresholds,
  modelDigest,
  readThresholds,
  THRESHOLDS_FILE,
  type ThresholdsFile,
} from './thresholds-file.js';
