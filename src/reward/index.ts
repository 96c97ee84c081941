/** The reward model: how good, and how safe, an answer is. */
export { trunkContext } from './load.js';
export type { OpenTrunk, TrunkContext, TrunkOpener } from './load-options.js';
export { RewardModel } from './model.js';
export type { RewardSession } from './session.js';
