/**
 * The conversation form that LLaVA-1.5 was trained with, for its GGUF files: most carry no template. Source: the
 * `llava_v1` conversation of LLaVA's code: Vicuna's system line, roles USER and ASSISTANT, " " after the system line and
 * after a question, "</s>" after an answer, and "<image>\n" before the question.
 */
import type { NativeModelFacts } from '../native/model-types.js';
import { imagePieces, type PromptPiece, type PromptTurn, templatePiece, textPiece } from './prompt-piece.js';

const LLAVA_V1_SYSTEM =
  'A chat between a curious human and an artificial intelligence assistant. ' +
  "The assistant gives helpful, detailed, and polite answers to the human's questions.";

/** Tokens of Llama 2's vocabulary, and those of it that conversions have put marks behind. */
const [LEAST_TOKENS, MOST_TOKENS] = [32_000, 32_064];

/**
 * Whether a model is of LLaVA-1.5's kind: a projector before Vicuna, which is a Llama 2 whose heads share no keys. Mistral, behind
 * the same vocabulary, has heads that do.
 */
export function isLlava15(facts: Pick<NativeModelFacts, 'architecture' | 'hasVision' | 'vocabularySize' | 'metadata'>) {
  const { architecture, hasVision, vocabularySize, metadata } = facts;
  const heads = metadata['llama.attention.head_count'];
  return (
    architecture === 'llama' &&
    hasVision &&
    metadata['tokenizer.ggml.model'] === 'llama' &&
    vocabularySize >= LEAST_TOKENS &&
    vocabularySize <= MOST_TOKENS &&
    heads === (metadata['llama.attention.head_count_kv'] ?? heads)
  );
}

/**
 * @param turns a system turn, if any, comes first and takes the place of the system line; the last is the user's
 * @param endText text of the end token, "</s>"
 */
export function llavaV1(turns: readonly PromptTurn[], endText: string): PromptPiece[] {
  const [first] = turns;
  const hasSystem = first?.role === 'system';
  const pieces: PromptPiece[] = [
    hasSystem ? textPiece(first.text) : templatePiece(LLAVA_V1_SYSTEM),
    templatePiece(' '),
  ];
  for (const turn of hasSystem ? turns.slice(1) : turns) {
    if (turn.role === 'assistant') {
      pieces.push(templatePiece('ASSISTANT: '), textPiece(turn.text), templatePiece(endText));
      continue;
    }
    pieces.push(templatePiece('USER: '));
    for (const image of imagePieces(turn.images)) pieces.push(image, templatePiece('\n'));
    pieces.push(textPiece(turn.text), templatePiece(' '));
  }
  pieces.push(templatePiece('ASSISTANT:'));
  return pieces;
}
