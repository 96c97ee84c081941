/** Checkpoints of Hugging Face folders into the folders that the evaluators read. */
export { type ConvertOptions, convertModel } from './convert.js';
export { outEntries } from './out-folder.js';
