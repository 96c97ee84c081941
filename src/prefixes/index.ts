/** Kept prefixes: sequences that begin alike are computed once as far as they do, whatever computes them. */
export {
  type BranchBackend,
  type BranchRun,
  type BranchScores,
  type KeptTokens,
  noStatistics,
  type RunOptions,
  type ScoringStatistics,
} from './backend.js';
export { fitSequences } from './fit-sequences.js';
export { GrownPrefix } from './grown.js';
export { KeptLanes, LANE_GROUP_TOKENS } from './lanes.js';
export { Queue } from './queue.js';
export { sharedLength } from './tree.js';
