/** Models by name, by folder or by path; and what they take of memory. */
export { isOfDrawnWorld } from './drawn-world.js';
export { readGguf } from './gguf-file.js';
export {
  addedRam,
  chooseGpuLayers,
  estimateMemory,
  GPU_RESERVE_BYTES,
  largestContext,
  type MemoryEstimate,
  type MemoryPart,
  type MemoryPlan,
  type ModelShapes,
  repackedTypes,
  roundedCells,
} from './memory.js';
export { languageShape, type TypeBytes } from './model-shape.js';
export { FOLDER_LAYOUT, registeredModels } from './registry.js';
export { type ModelChoice, type ModelPaths, type ResolvedModels, resolveModels } from './resolve.js';
export { modelShapes } from './shapes.js';
