/** What somebody chose for the command line, in a file of theirs. The library never reads it. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../../errors.js';
import { issueOf, parsedJson } from '../../json.js';
import { isShippedName } from '../../models/index.js';
import { makeFolder, writeWhole } from '../../outputs/index.js';
import { POLICY_NAMES } from '../../policy/policy.js';
import type { PolicyName } from '../../types/policy.js';

const path = z.string().min(1);

/** Whether models may be called so. Another's name would answer in its place, and what every object has is no name. */
export function isFreeName(name: string): boolean {
  return /^[a-z\d][\w.-]*$/i.test(name) && !(name in Object.prototype) && !isShippedName(name);
}

const configSchema = z.strictObject({
  version: z.literal(1),
  /** What is used where no command says otherwise: a name, an address of a hub, or a folder. */
  models: z.string().min(1).optional(),
  policy: z.enum(POLICY_NAMES as readonly [PolicyName, ...PolicyName[]]).optional(),
  /** Sets of one's own by name: a folder, or paths. All absolute. */
  added: z
    .record(
      z.string(),
      z.union([
        path,
        z.strictObject({
          languageModel: path,
          projector: path.optional(),
          clip: path.optional(),
          rewardModel: path.optional(),
        }),
      ]),
    )
    .refine(
      (added) => Object.keys(added).every(isFreeName),
      'expected names of letters, digits, dots and hyphens that no shipped set has',
    )
    .default({}),
});

export type Config = z.output<typeof configSchema>;

/** Where it lies on this system. */
export function configPath(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const home = homedir();
  const set = (name: string) => ((env[name] ?? '') === '' ? undefined : env[name]);
  const folder =
    set('XDG_CONFIG_HOME') ??
    (platform === 'win32'
      ? (set('APPDATA') ?? join(home, 'AppData', 'Roaming'))
      : platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : join(home, '.config'));
  return join(folder, 'eta-vlm', 'config.json');
}

/** One that is not there says nothing. @throws FileError ERR_FILE_READ, ERR_FILE_INVALID */
export function readConfig(from = configPath()): Config {
  let text: string;
  try {
    text = choicesText(from);
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { version: 1, added: {} };
    throw new FileError('ERR_FILE_READ', `Expected to read ${from}, but it failed: ${code}. Check its permissions.`, {
      cause,
    });
  }
  const { success, data, error } = configSchema.safeParse(parsedJson(text));
  if (success) return data;
  throw new FileError(
    'ERR_FILE_INVALID',
    `${from}: expected the choices of eta-vlm; ${issueOf(error)}. Correct the file, or take it away: the defaults hold then.`,
  );
}

/** More than anybody's choices take. */
const MOST_BYTES = 2 ** 20;

/** Of a pipe, opening and reading would wait for ever. @throws FileError */
function choicesText(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(file);
    if (found.isFile() && found.size <= MOST_BYTES) return readFileSync(file, 'utf8');
    const what = found.isDirectory() ? 'a folder' : found.isFile() ? `${found.size} bytes` : 'a pipe or a device';
    throw new FileError(
      'ERR_FILE_INVALID',
      `${path}: expected a file of at most ${MOST_BYTES} bytes with the choices of eta-vlm, received ${what}. Take it away: the defaults hold then.`,
    );
  } finally {
    closeSync(file);
  }
}

/** @throws as {@link readConfig}; FileError ERR_FILE_WRITE */
export async function changeConfig(change: (config: Config) => Config): Promise<void> {
  const to = configPath();
  const changed = change(readConfig(to));
  await makeFolder(dirname(to));
  await writeWhole(to, (draft) => draft.writeFile(`${JSON.stringify(changed, null, 2)}\n`));
}
