/** All fuzzers, in the order in which `npm run fuzz` runs them. */
import { bodies } from './bodies.js';
import { commandLines } from './command-lines.js';
import { evaluatorFiles } from './evaluator-files.js';
import type { Fuzz } from './fuzz.js';
import { gguf } from './gguf.js';
import { optionValues } from './option-values.js';
import { pictures } from './pictures.js';
import { requestLines } from './request-lines.js';

export const FUZZERS: readonly Fuzz[] = [
  pictures,
  gguf,
  evaluatorFiles,
  requestLines,
  optionValues,
  commandLines,
  bodies,
];
