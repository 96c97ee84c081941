/**
 * Tokens of a prompt. Between two pictures, template and words are tokenised in one call, as llama-mtmd-cli does it, so
 * that seams do not change tokens. Only where words hold, or would form at a seam, the text of a special token, each
 * piece is tokenised for itself, and words without special tokens.
 */
import type { NativeModel, NativePart } from '../native/binding-types.js';
import type { PromptPiece } from './prompt-piece.js';
import type { Vocabulary } from './vocabulary.js';

type Wording = Exclude<PromptPiece, { kind: 'image' }>;

/** The begin token, if the model wants one, then text and pictures in order. */
export function promptParts(pieces: readonly PromptPiece[], vocabulary: Vocabulary, model: NativeModel): NativePart[] {
  const { addsBeginToken, beginToken } = model.facts;
  const parts: NativePart[] = [];
  let tokens: number[] = addsBeginToken && beginToken !== null ? [beginToken] : [];
  let stretch: Wording[] = [];
  const close = () => {
    for (const token of stretchTokens(stretch, vocabulary, model)) tokens.push(token);
    if (tokens.length > 0) parts.push(Int32Array.from(tokens));
    tokens = [];
    stretch = [];
  };
  for (const piece of pieces) {
    if (piece.kind === 'image') {
      close();
      parts.push(piece.image);
    } else if (piece.text !== '') {
      stretch.push(piece);
    }
  }
  close();
  return parts;
}

function stretchTokens(stretch: readonly Wording[], vocabulary: Vocabulary, model: NativeModel): Iterable<number> {
  const joined = stretch.map((piece) => piece.text).join('');
  if (joined === '') return [];
  if (!wordsTouchSpecial(stretch, joined, vocabulary)) {
    return model.tokenize(joined, { addSpecial: false, parseSpecial: true });
  }
  return stretch.flatMap((piece, index) => {
    const parseSpecial = piece.kind === 'template';
    return index === 0
      ? [...model.tokenize(piece.text, { addSpecial: false, parseSpecial })]
      : continued(piece.text, parseSpecial, model);
  });
}

/** Whether the text of a special token stands anywhere in or across somebody's words. */
function wordsTouchSpecial(stretch: readonly Wording[], joined: string, vocabulary: Vocabulary): boolean {
  const ranges = vocabulary.specialRanges(joined);
  let start = 0;
  for (const { kind, text } of stretch) {
    const end = start + text.length;
    if (kind === 'text' && ranges.some(([from, to]) => from < end && to > start)) return true;
    start = end;
  }
  return false;
}

/**
 * Tokens of a text in the middle of others. SentencePiece puts a space before whatever a call begins with; behind a
 * newline, which merges with nothing, it does not.
 */
function continued(text: string, parseSpecial: boolean, model: NativeModel): number[] {
  const newline = model.tokenize('\n', { addSpecial: false, parseSpecial: false });
  const tokens = [...model.tokenize(`\n${text}`, { addSpecial: false, parseSpecial })];
  const isKept = tokens.length > newline.length && newline.every((token, index) => tokens[index] === token);
  return isKept ? tokens.slice(newline.length) : [...model.tokenize(text, { addSpecial: false, parseSpecial })];
}
