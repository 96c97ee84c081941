/**
 * How a chat template takes pictures, found by rendering a question with and without one. Templates of vision models
 * take a list of items and write a mark for each picture ("<image>", "<|vision_start|><|image_pad|><|vision_end|>");
 * others take a string, and pictures stand before its text, as llama-mtmd-cli puts them.
 */
import { randomBytes } from 'node:crypto';
import { ModelError } from '../errors.js';

export type MessageContent =
  | string
  | readonly ({ readonly type: 'text'; readonly text: string } | { readonly type: 'image' })[];

/** A turn as templates know it. */
export interface Message {
  readonly role: string;
  readonly content: MessageContent;
}

export interface ImageForm {
  /**
   * What the template writes for one picture, without white space around it; undefined where it takes none. libmtmd adds
   * the model's begin and end tokens itself, so a picture takes the place of the whole mark.
   */
  readonly markup: string | undefined;
  /** Whether content may be a string; otherwise every turn's must be a list. */
  readonly takesStrings: boolean;
}

/** @throws ModelError ERR_MODEL_INVALID when the template cannot render a plain question */
export function imageForm(render: (messages: readonly Message[]) => string): ImageForm {
  const probe = randomBytes(12).toString('hex');
  const ask = (content: MessageContent) => attempt(() => render([{ role: 'user', content }]));
  const asString = ask(probe);
  const asList = ask([{ type: 'text', text: probe }]);
  const takesStrings = holdsOnce(asString.text, probe);
  // A template that knows no lists prints the list itself.
  const takesLists = holdsOnce(asList.text, probe) && !/["']type["']/.test(asList.text);
  if (!takesStrings && !takesLists) {
    const cause = asString.error ?? asList.error;
    const why = cause instanceof Error ? cause.message : 'the question is missing in the result';
    throw new ModelError('ERR_MODEL_INVALID', `The model's chat template cannot render a question: ${why}.`, { cause });
  }
  if (!takesLists) return { markup: undefined, takesStrings };
  const withImage = ask([{ type: 'image' }, { type: 'text', text: probe }]);
  return { markup: holdsOnce(withImage.text, probe) ? inserted(asList.text, withImage.text) : undefined, takesStrings };
}

function attempt(render: () => string): { text: string; error?: unknown } {
  try {
    return { text: render() };
  } catch (error) {
    return { text: '', error };
  }
}

function holdsOnce(text: string, probe: string): boolean {
  return text.split(probe).length === 2;
}

/** What the second text has more than the first, without white space around it; undefined for nothing. */
function inserted(without: string, withMore: string): string | undefined {
  let front = 0;
  while (front < without.length && without[front] === withMore[front]) front++;
  let back = 0;
  while (back < without.length - front && without.at(-1 - back) === withMore.at(-1 - back)) back++;
  // "<|image|><|text|>" against "<|text|>" differs in "image|><|" as well as in "<|image|>": take the one with its brackets.
  const candidates: string[] = [];
  for (let end = withMore.length - back; front >= 0; front--, end--) {
    candidates.push(withMore.slice(front, end).trim());
    if (withMore[front - 1] !== withMore[end - 1]) break;
  }
  const more = candidates.find((candidate) => /^[<[].*[>\]]$/s.test(candidate)) ?? candidates[0] ?? '';
  return more === '' ? undefined : more;
}
