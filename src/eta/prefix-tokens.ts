/** The beginning of an answer, such as the interference prefix, as the tokens that the model itself would have begun it with. */
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
  const text = isBehindBlank(model, prompt) ? ` ${prefix}` : prefix;
  return await model.tokenize(text, { ...limits, isContinued: true });
}

/** Whether an answer to this prompt begins with a blank. */
export function isBehindBlank(model: Pick<Model, 'text'>, prompt: readonly NativePart[]): boolean {
  const last = prompt.at(-1);
  const ending = last instanceof Int32Array ? model.text(last.slice(-1)) : '';
  return ending !== '' && !/\s$/.test(ending);
}
