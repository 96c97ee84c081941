/** Hugging Face tokenizers, for texts of any length. */
export { type EncodedPair, TextTokenizer } from './tokenizer.js';
