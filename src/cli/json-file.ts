/** A JSON file that is there whole or not at all. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { placeOf, writeWhole } from '../outputs/index.js';

/**
 * Refuses early what could not be written after a long run.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
export async function checkWritable(path: string, option: string): Promise<void> {
  const { target, kind } = await placeOf(path);
  if (kind === 'folder') {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${option}: expected a file, received the folder ${describePath(path)}.`,
    );
  }
  const folder = dirname(target);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${option}: expected a file in a folder that can be written, received ${describePath(path)}. Make the folder ${describePath(folder)} first, or name another.`,
      { cause },
    );
  }
}

/** @throws FileError ERR_FILE_WRITE */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeWhole(path, (draft) => draft.writeFile(`${JSON.stringify(value, null, 2)}\n`));
}
