/** Models by name, by folder or by path. */
export { type RegisteredModels, registeredModels } from './registry.js';
export { type ModelChoice, type ModelPaths, type ResolvedModels, resolveModels } from './resolve.js';
