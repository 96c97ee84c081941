/** Safety vectors: made of what a model refuses and what it answers, kept as files, read for a model. */
export { type Difference, differenceOf, MeanState } from './difference.js';
export { LayerReader, type LayerReaderOptions } from './layer-reader.js';
export { type SafetyVector, scaled, type VectorHome } from './vector.js';
export { isVectorFile, readVector, vectorHome, writeVector } from './vector-file.js';
