/** Hugging Face tokenizers, for texts of any length. */
export { TextTokenizer } from './tokenizer.js';
