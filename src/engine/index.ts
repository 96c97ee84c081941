/** The engine alone: models, KV caches that branch, pictures. No safety policy. */
export type { LatePicture, Picture } from '../known-picture.js';
export type { NativeBackendDevice } from '../native/binding-types.js';
export type { NativeContextFacts, NativeContextStatistics, NativePart } from '../native/context-types.js';
export type { NativeImage } from '../native/image-types.js';
export type { NativeModelFacts } from '../native/model-types.js';
export type { Demand } from './admission.js';
export type { BeginOptions, Begun } from './begin.js';
export { checkTurnCount, type PromptOptions } from './chat-template.js';
export { type CommonBeginning, commonBeginning } from './common-beginning.js';
export { Context, type ContextStatistics } from './context.js';
export {
  type ContextOptions,
  DEFAULT_BATCH_SIZE,
  type HiddenStateContextOptions,
  MAX_BATCH_SIZE,
  MAX_CONTEXT_SIZE,
  type Steering,
} from './context-options.js';
export { devices, layerDevices, processorFeatures, returnMemory } from './devices.js';
export { type BorrowedImage, type BorrowOptions, EncodedImages } from './encoded-images.js';
export { Lease } from './lease.js';
export { Model } from './model.js';
export type { EncodeImageOptions, ModelOptions, TokenizeOptions } from './model-options.js';
export type { Output } from './output.js';
export type { PromptTurn } from './prompt-piece.js';
export { deriveSeed, deriveSeedOver, GREEDY, randomSeed, type SamplerOptions } from './sampler.js';
export { type Contrast, Sequence } from './sequence.js';
export type { Decoded, DecodeOptions, Pause, PrefillOptions } from './sequence-options.js';
export type { DecodeStopReason } from './task.js';
export { TokenSet } from './token-set.js';
export { type TokenBytes, TokenText, textOf } from './token-text.js';
