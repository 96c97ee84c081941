/**
 * Tokens of a prompt. Between two pictures, template and words are tokenised as one text, as llama-mtmd-cli does it, so
 * that seams do not change tokens; words stay words, whatever they say.
 */
import type { NativePart } from '../native/context-types.js';
import type { NativeModel, NativeTextPiece } from '../native/model-types.js';
import type { PromptPiece } from './prompt-piece.js';
import { MOST_TOKENS, tokensOf } from './tokenizing.js';

export interface PromptLimits {
  /** Of all texts together, begin token included, pictures left out. @default 2^31 - 1 */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The begin token, if the model wants one, then text and pictures in order. */
export async function promptParts(
  pieces: readonly PromptPiece[],
  model: NativeModel,
  { maxTokens = MOST_TOKENS, signal }: PromptLimits,
): Promise<NativePart[]> {
  const { addsBeginToken, beginToken } = model.facts;
  const parts: NativePart[] = [];
  let begin = addsBeginToken && beginToken !== null ? [beginToken] : [];
  let stretch: NativeTextPiece[] = [];
  let rest = maxTokens;
  const close = async () => {
    rest = Math.max(0, rest - begin.length);
    const tokens = await tokensOf(model, stretch, { maxTokens: rest, signal });
    rest -= tokens.length;
    const all = new Int32Array(begin.length + tokens.length);
    all.set(begin);
    all.set(tokens, begin.length);
    if (all.length > 0) parts.push(all);
    begin = [];
    stretch = [];
  };
  for (const piece of pieces) {
    if (piece.kind === 'image') {
      await close();
      parts.push(piece.image);
    } else if (piece.text !== '') {
      stretch.push({ text: piece.text, parseSpecial: piece.kind === 'template' });
    }
  }
  await close();
  return parts;
}
