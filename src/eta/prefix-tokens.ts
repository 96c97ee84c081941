/** The interference prefix as the tokens that the model itself would have begun its answer with. */
import type { Model, NativePart } from '../engine/index.js';

/**
 * Behind "ASSISTANT:" an answer begins with a space, behind "assistant\n" or a special token it does not. SentencePiece
 * puts a space before whatever it tokenises; behind a newline, which merges with nothing, it does not, so that the
 * newline is put there and taken off again.
 *
 * @param prompt what the prefix stands behind
 */
export function prefixTokens(
  model: Pick<Model, 'tokenize' | 'text'>,
  prompt: readonly NativePart[],
  prefix: string,
): Int32Array {
  const last = prompt.at(-1);
  const ending = last instanceof Int32Array ? model.text(last.slice(-1)) : '';
  const text = ending === '' || /\s$/.test(ending) ? prefix : ` ${prefix}`;
  const newline = model.tokenize('\n', { parseSpecial: false });
  const behind = model.tokenize(`\n${text}`, { parseSpecial: false });
  const isKept = behind.length > newline.length && newline.every((token, index) => behind[index] === token);
  return isKept ? behind.slice(newline.length) : model.tokenize(text.trimStart(), { parseSpecial: false });
}
