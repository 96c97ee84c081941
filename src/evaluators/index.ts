/** The evaluators: CLIP for the picture, a reward model for the answer, one thread for both. */
export { Clip } from './clip.js';
export { cosine } from './cosine.js';
export type { ClipManifest, RewardManifest } from './manifest.js';
export { RewardModel } from './reward-model.js';
export type { RewardSession } from './reward-session.js';
export { EvaluatorWorker, type EvaluatorWorkerOptions } from './worker.js';
