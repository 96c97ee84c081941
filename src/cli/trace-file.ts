/** A JSON file that is there whole or not at all. */
import { randomBytes } from 'node:crypto';
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { describe } from '../options.js';

/**
 * Refuses early what could not be written after a long run.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
export async function checkWritable(path: string, option: string): Promise<void> {
  const folder = dirname(resolve(path));
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new UsageError('ERR_INVALID_OPTION', `${option}: expected a file, received the folder ${describe(path)}.`);
  }
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${option}: expected a file in a folder that can be written, received ${describe(path)}. Make the folder ${describe(folder)} first, or name another.`,
      { cause },
    );
  }
}

/** Writes beside the target and renames, so that a reader never meets half a file. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const target = resolve(path);
  const draft = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}`);
  try {
    await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { flag: 'wx' });
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
