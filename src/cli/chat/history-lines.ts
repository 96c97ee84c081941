/** A conversation, told: who said what, and what was done about it. */
import { labelled } from '../../terminal/paint.js';
import { visible } from '../../visible.js';
import { LABEL_WIDTH } from '../verdict-text.js';
import type { Conversation } from './conversation.js';
import { labelOf, type Picture } from './picture.js';
import type { Form } from './session.js';

export function historyLines({ exchanges, attached }: Conversation, { paint, columns }: Form): string[] {
  const say = (label: string, text: string) =>
    labelled(label, visible(text), { labelWidth: LABEL_WIDTH, columns }).map(
      (line) => `${paint('dim', line.slice(0, LABEL_WIDTH))}${line.slice(LABEL_WIDTH)}`,
    );
  const shown = (pictures: readonly Picture[]) => pictures.flatMap((picture) => say('picture', labelOf(picture)));
  const told = exchanges.map(({ question, pictures, result }) => [
    ...shown(pictures),
    ...say('question', question),
    ...say(result.verdict.action, result.text),
  ]);
  if (attached.length > 0) told.push([...shown(attached), ...say('', 'with the next question')]);
  if (told.length === 0) return ['Nothing was asked yet.'];
  return told.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}
