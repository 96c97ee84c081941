/** Models by name, by folder or by path; and what they take of memory. */
export type {
  ModelChoice,
  ModelPaths,
  PublishedClipScore,
  PublishedFacts,
  PublishedGuard,
  ResolvedModels,
} from './choice.js';
export { clipPlace, textGraphOf } from './clip-place.js';
export { isOfDrawnWorld } from './drawn-world.js';
export { readGguf } from './gguf-file.js';
export {
  addedRam,
  chooseGpuLayers,
  estimateMemory,
  GPU_RESERVE_BYTES,
  largestContext,
  type MemoryEstimate,
  type ModelShapes,
  repackedTypes,
} from './memory.js';
export { type MemoryPart, type MemoryPlan, roundedCells } from './memory-parts.js';
export { languageShape, type TypeBytes } from './model-shape.js';
export {
  bytesToFetch,
  damagedIn,
  fetchPlan,
  type ModelPlan,
  type PlannedPart,
  partPath,
  planHere,
  planModels,
  publishedIn,
} from './plan.js';
export { plannedShapes } from './planned-shapes.js';
export { type PublishedSet, type Role, readBytes } from './published.js';
export { FOLDER_LAYOUT, isShippedName, publishedSets, registeredModels, SHIPPED_PICTURES } from './registry.js';
export { resolvedPlan, resolveModels } from './resolve.js';
export { ggufShapes, modelShapes } from './shapes.js';
