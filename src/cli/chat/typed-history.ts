/** A file of the lines that were typed, for the arrow keys of the next chat. Only who names one has one. */
import { appendFile } from 'node:fs/promises';
import { UsageError } from '../../errors.js';
import { linesOf } from '../../lines.js';
import { describePath } from '../../options.js';
import { placeOf, refusedCall, writeWhole } from '../../outputs/index.js';
import { readRegularText } from '../../regular-file.js';
import { visibleName } from '../../visible.js';
import { checkWritable } from '../json-file.js';
import { MOST_KEPT_LINES } from './edited-lines.js';

/** What such a file begins with: anything else is somebody's text, and nothing is written behind it. */
const TITLE = '# lines typed in eta-vlm chat';

/** What an arrow key brings back is drawn as it is: a line that would move the cursor is none that was typed. */
const isPlain = (line: string) => visibleName(line) === line;

export class TypedHistory {
  readonly path: string;
  /** The oldest first. */
  readonly lines: readonly string[];

  private constructor(path: string, lines: readonly string[]) {
    this.path = path;
    this.lines = lines;
  }

  /**
   * Reads the file, or begins it; of more lines than the arrow keys bring back, the oldest go.
   *
   * @throws UsageError ERR_INVALID_OPTION for a file of another kind; FileError
   */
  static async open(path: string): Promise<TypedHistory> {
    await checkWritable(path, '--history');
    const { target, kind } = await placeOf(path, '--history');
    const text = kind === 'nothing' ? '' : await readRegularText(target);
    const [title = '', ...lines] = [...linesOf(text)];
    if (text !== '' && title !== TITLE) {
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `--history: expected a new file, or one that an earlier chat began, received ${describePath(path)}, which holds something else. Name another.`,
      );
    }
    const kept = lines.filter((line) => line !== '' && isPlain(line)).slice(-MOST_KEPT_LINES);
    await writeWhole(path, (draft) => draft.writeFile(`${[TITLE, ...kept].join('\n')}\n`));
    return new TypedHistory(path, kept);
  }

  /** @throws FileError ERR_FILE_WRITE */
  async add(line: string): Promise<void> {
    try {
      await appendFile(this.path, `${line}\n`);
    } catch (cause) {
      throw refusedCall(this.path, cause);
    }
  }
}
