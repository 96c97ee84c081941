/**
 * The conversation form that LLaVA-1.5 was trained with, for its GGUF files, which carry no template. Source: the
 * `llava_v1` conversation of LLaVA's code: Vicuna's system line, roles USER and ASSISTANT, " " after the system line and
 * after a question, "</s>" after an answer, and "<image>\n" before the question.
 */
import { imagePieces, type PromptPiece, type PromptTurn, templatePiece, textPiece } from './prompt-piece.js';

const LLAVA_V1_SYSTEM =
  'A chat between a curious human and an artificial intelligence assistant. ' +
  "The assistant gives helpful, detailed, and polite answers to the human's questions.";

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
