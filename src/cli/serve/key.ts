/** The key of a server: from an option, from a file, or from the environment. */
import { UsageError } from '../../errors.js';
import { describePath } from '../../options.js';
import { readRegularText } from '../../regular-file.js';

const KEY_VARIABLE = 'ETA_VLM_API_KEY';

/** @throws UsageError ERR_INVALID_OPTION for a file without a key; what reading the file throws */
export async function keyOf(flags: {
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
}): Promise<string | undefined> {
  const { apiKey, apiKeyFile } = flags;
  if (apiKeyFile !== undefined) return await keyIn(apiKeyFile);
  const variable = process.env[KEY_VARIABLE]?.trim() ?? '';
  return apiKey ?? (variable === '' ? undefined : variable);
}

async function keyIn(path: string): Promise<string> {
  let key: string;
  try {
    key = (await readRegularText(path)).trim();
  } catch (cause) {
    const { message } = cause as Error;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--api-key-file: expected a file with the key, received ${describePath(path)}, which cannot be read (${message}).`,
      { cause },
    );
  }
  if (key !== '') return key;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `--api-key-file: expected a key in ${describePath(path)}, received an empty file.`,
  );
}
