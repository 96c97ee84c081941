/** The evaluators: CLIP for the picture, a reward model for the answer, one thread for both. */
export { Clip } from './clip.js';
export { cosine } from './cosine.js';
export type { OpenTrunk, TrunkContext, TrunkOpener } from './load-options.js';
export {
  type ClipManifest,
  clipManifestSchema,
  filesOf,
  type RewardManifest,
  readManifest,
  rewardManifestSchema,
} from './manifest.js';
export { trunkContext } from './reward-load.js';
export { RewardModel } from './reward-model.js';
export type { RewardSession } from './reward-session.js';
export { telemetryState } from './telemetry.js';
export {
  checkBond,
  installedThresholds,
  modelDigest,
  readThresholds,
  THRESHOLDS_FILE,
  type ThresholdsFile,
} from './thresholds-file.js';
export { EvaluatorWorker, type EvaluatorWorkerOptions } from './worker.js';
