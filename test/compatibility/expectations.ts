/**
 * What is known about each architecture: where llama.cpp parts from the original, and how near it comes elsewhere. A
 * deviation that is listed must still be there, so that the list cannot grow stale.
 */

export interface Expectation {
  /** Reason why it cannot be converted, or loaded, with a part of the message. */
  readonly refused?: { readonly at: 'converts' | 'loads'; readonly message: RegExp; readonly why: string };
  /** How our prompt differs in tokens; numbers are then taken from the original's prompt, written out. */
  readonly tokens?: string;
  /** How pictures that need no resizing differ. */
  readonly exact?: string;
  /** How the other picture differs. */
  readonly wide?: string;
  /** What our patch changes; stock llama.cpp must then be wrong. */
  readonly patched?: string;
  /** What our patch makes the same every time, where stock llama.cpp is right by luck. */
  readonly steadied?: string;
  /** Largest difference of logits for text. @default TEXT_TOLERANCE */
  readonly textTolerance?: number;
  /** Largest difference of logits of a batch from each alone. @default BATCH_TOLERANCE */
  readonly batchTolerance?: number;
  /** Whether llama-mtmd-cli writes the same prompt as we do, and so the same text. */
  readonly likeCli?: boolean;
  readonly isHybrid?: boolean;
}

/** F32 weights, F32 cache: sums in another order than PyTorch's, logits with a spread of 1 to 3. */
export const TEXT_TOLERANCE = 5e-5;
/** libmtmd on the CPU: keys and values of the tower in F16, GELU from a table of F16 values. */
export const PICTURE_TOLERANCE = 0.03;

/** A batch adds in another order than a single sequence. */
export const BATCH_TOLERANCE = 1e-4;

const PADDED = 'Pads to keep the sides in proportion; the original stretches.';
const SHIFTED = 'Resizes and then pads to a square; the original pads first. The picture lies up to one pixel off.';

export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'llava-1.5': {
    wide: SHIFTED,
    patched: 'The class token in front of the patches (llava-class-token-first.patch).',
  },
  'llava-1.5-published': {
    wide: SHIFTED,
    patched: 'As above, and one block more of the tower (llava-layer-count.patch).',
  },
  'llava-next': {
    tokens: 'Fewer: no newline rows.',
    exact: "The rows are the original's, in another order: overview last, tile after tile, no newline rows.",
    wide: 'Likewise.',
    patched: 'The class token in front of the patches: each row is right, their order is not.',
  },
  'llava-onevision': {
    refused: { at: 'converts', message: /LlavaOnevision.* not supported/, why: 'The converter has no such model.' },
  },
  internvl3: {
    wide: 'Other tiles: 3 x 1 in the original, 8 of them here.',
    patched: 'The class token in front of the patches (internvl-class-token-first.patch).',
  },
  'internvl3-hf': {
    refused: {
      at: 'converts',
      message: /without tensors/,
      why: 'The converter knows the names of the original repositories only and writes an empty projector. Convert those.',
    },
  },
  'qwen2.5-vl': { wide: PADDED, likeCli: true },
  'qwen3-vl': { wide: PADDED, likeCli: true },
  gemma3: {
    tokens: 'The original puts two newlines before and after a picture; llama.cpp puts none.',
    wide: PADDED,
    // ggml rounds to F16 before it looks GELU up: a difference in the last digit of F32 becomes one of F16.
    textTolerance: 0.03,
    batchTolerance: 5e-3,
    likeCli: true,
  },
  smolvlm: {},
  pixtral: {
    wide: 'Sides rounded to the nearest multiple of 16; the original rounds up.',
    steadied:
      'Stock llama.cpp takes the row of [IMG_BREAK] from memory that nobody has written (pixtral-row-breaks.patch).',
    likeCli: true,
  },
  'pixtral-as-published': {
    refused: {
      at: 'loads',
      message: /img_break/,
      why: 'The converter leaves out the row of [IMG_BREAK]; the line before has it.',
    },
  },
  'minicpm-v': {
    tokens: 'The original numbers pictures (`<image_id>0</image_id>`); llama.cpp does not.',
    wide: PADDED,
    isHybrid: true,
  },
  'lfm2-vl': { wide: 'Other sides: 416 x 224 here, 384 x 224 in the original.', likeCli: true, isHybrid: true },
};
