/** A conversation as a file: an answer a line, as `eta-vlm batch --trace` writes it, with what was asked. */
import { resolve } from 'node:path';
import { answerLine } from '../../batch/answer-line.js';
import { type AnswerLine, digestOf } from '../../batch/index.js';
import { UsageError } from '../../errors.js';
import { describePath } from '../../options.js';
import { checkApart, type Input, identityOf, picturePath, placeOf, writeWhole } from '../../outputs/index.js';
import { checkWritable } from '../json-file.js';
import { type Exchange, turnsOf } from './conversation.js';

/** An answer, and the question in front of it. */
interface SavedLine extends AnswerLine {
  readonly prompt: string;
  /** Paths from the root, URLs as they are. */
  readonly images: readonly string[];
}

/** Writes conversations of one chat; what it wrote it may write anew, longer. */
export class SavedConversations {
  readonly #inputs: readonly Input[];
  readonly #own = new Set<string>();

  /** @param inputs what no conversation may take the place of, pictures apart */
  constructor(inputs: readonly Input[]) {
    this.#inputs = inputs;
  }

  /** What was written so far is left alone from now on. */
  forget(): void {
    this.#own.clear();
  }

  /** @throws UsageError ERR_INVALID_OPTION for a file that holds something else; FileError ERR_FILE_WRITE */
  async write(path: string, exchanges: readonly Exchange[]): Promise<void> {
    const pictures = exchanges.flatMap((exchange) => exchange.pictures.flatMap(({ name }) => picturePath(name) ?? []));
    await checkApart(
      [{ path, name: 'The conversation (/save)' }],
      [...pictures.map((picture) => ({ path: picture, name: 'a picture of the conversation' })), ...this.#inputs],
    );
    await checkWritable(path, '/save');
    const { target, kind, identity } = await placeOf(path);
    if (kind !== 'nothing' && !this.#own.has(identity)) {
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `/save: expected a new file, or one that this conversation was saved in, received ${describePath(path)}, which is there already. Name another.`,
      );
    }
    const lines = exchanges.map((exchange, index) => JSON.stringify(savedLine(exchange, exchanges.slice(0, index))));
    await writeWhole(path, (draft) => draft.writeFile(`${lines.join('\n')}\n`));
    const written = await identityOf(target);
    if (written !== null) this.#own.add(written);
  }
}

/** @param before what the question was asked behind: a part of it */
function savedLine(exchange: Exchange, before: readonly Exchange[]): SavedLine {
  const { question: prompt, pictures, result } = exchange;
  const images = pictures.map(({ name }) => located(name));
  const digest = digestOf({ turns: [...before.flatMap(namedTurns), { role: 'user', text: prompt, images }] });
  const line = before.length + 1;
  return { ...answerLine({ id: `turn-${line}`, line, digest }, result, { keepsTrace: true }), prompt, images };
}

/** With the names of pictures in their places. */
function namedTurns(exchange: Exchange): unknown[] {
  const images = exchange.pictures.map(({ name }) => located(name));
  return turnsOf(exchange).map((turn) => (turn.role === 'user' ? { ...turn, images } : turn));
}

function located(name: string): string {
  const path = picturePath(name);
  return path === null ? name : resolve(path);
}
