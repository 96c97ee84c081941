/** The interference prefix as the tokens that the model itself would have begun its answer with. */
import type { Model, NativePart, TokenizeOptions } from '../engine/index.js';

/**
 * Behind "ASSISTANT:" an answer begins with a space, behind "assistant\n" or a special token it does not.
 *
 * @param prompt what the prefix stands behind
 */
export async function prefixTokens(
  model: Pick<Model, 'tokenize' | 'text'>,
  prompt: readonly NativePart[],
  prefix: string,
  limits: Pick<TokenizeOptions, 'maxTokens' | 'signal'>,
): Promise<Int32Array> {
  const last = prompt.at(-1);
  const ending = last instanceof Int32Array ? model.text(last.slice(-1)) : '';
  const text = ending === '' || /\s$/.test(ending) ? prefix : ` ${prefix}`;
  return await model.tokenize(text, { ...limits, isContinued: true });
}
