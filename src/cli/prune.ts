/** `eta-vlm prune`: takes away onnxruntime's binaries for other platforms, which its package brings all of. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EvaluatorError, FileError } from '../errors.js';
import { describePath } from '../options.js';
import { whyUnread } from '../regular-file.js';
import { EXIT } from '../terminal/failure.js';
import { print } from '../terminal/print.js';
import { size } from '../terminal/size.js';

export interface PruneOptions {
  readonly dryRun?: boolean;
}

/** A folder with the binaries of one platform. */
interface PlatformBinaries {
  readonly folder: string;
  readonly isOurs: boolean;
}

/** A folder that stays, and the system's reason. */
interface Failure {
  readonly folder: string;
  readonly cause: unknown;
}

/** The package that is pruned, and where it is told. */
interface PrunePlace {
  readonly root: string;
  readonly say: (text: string) => void;
}

/**
 * Prints a line for each folder and what was freed. A folder that cannot be taken away keeps none of the others.
 *
 * @throws EvaluatorError ERR_EVALUATOR where onnxruntime-node or its binaries for this platform are missing; FileError
 * ERR_FILE_READ, ERR_FILE_WRITE for folders that cannot be read or taken away, after all others are gone
 */
export function prune(
  { dryRun = false }: PruneOptions,
  { root, say }: PrunePlace = { root: onnxruntimeFolder(), say: print },
): number {
  const failures: Failure[] = [];
  const others = platformBinaries(root, `${process.platform}/${process.arch}`, failures).filter(
    ({ isOurs }) => !isOurs,
  );
  let freedBytes = 0;
  for (const { folder } of others) {
    try {
      const sizeBytes = sizeOf(folder);
      if (!dryRun) rmSync(folder, { recursive: true });
      freedBytes += sizeBytes;
      say(`${size(sizeBytes).padStart(10)}  ${folder}\n`);
    } catch (cause) {
      failures.push({ folder, cause });
    }
  }
  if (others.length > 0) say(`${size(freedBytes)} ${dryRun ? 'would be freed; nothing was touched.' : 'freed.'}\n`);
  else if (failures.length === 0) say('Nothing of other platforms is there.\n');
  if (failures.length > 0) throw unfinished(failures, dryRun);
  return EXIT.ok;
}

/**
 * @internal Folders `bin/napi-v*\/<platform>/<architecture>` of the package. Those that cannot be read are left out, and
 * added to the failures.
 * @throws EvaluatorError ERR_EVALUATOR where this platform's is missing or holds nothing, FileError ERR_FILE_READ where it
 * cannot be read: then nothing may go
 */
export function platformBinaries(root: string, platform: string, failures: Failure[] = []): PlatformBinaries[] {
  const bin = join(root, 'bin');
  const found = folders(bin, failures)
    .filter((version) => /^napi-v\d+$/.test(version))
    .flatMap((version) => folders(join(bin, version), failures).map((system) => join(version, system)))
    .flatMap((path) => folders(join(bin, path), failures).map((architecture) => join(path, architecture)))
    .map((path) => ({ folder: join(bin, path), isOurs: path.replaceAll('\\', '/').endsWith(`/${platform}`) }));
  if (found.some(({ folder, isOurs }) => isOurs && holdsFiles(folder))) return found;
  const [unread] = failures;
  if (unread !== undefined) throw unreadable(unread, 'nothing was touched');
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected onnxruntime-node's binaries for ${platform} in ${bin}, found none of them: nothing was touched. Install the package again.`,
  );
}

/** @throws FileError ERR_FILE_READ */
function holdsFiles(folder: string): boolean {
  try {
    return sizeOf(folder) > 0;
  } catch (cause) {
    throw unreadable({ folder, cause }, 'nothing was touched');
  }
}

function unreadable({ folder, cause }: Failure, rest: string): FileError {
  return new FileError(
    'ERR_FILE_READ',
    `Expected to read ${describePath(folder)}, received ${whyUnread(cause)}: ${rest}. Check its permissions and run the command again.`,
    { cause },
  );
}

function unfinished(failures: readonly Failure[], dryRun: boolean): FileError {
  const [first] = failures;
  if (dryRun && first !== undefined) return unreadable(first, 'what it holds is not counted');
  const each = failures.map(({ folder, cause }) => `${describePath(folder)} (${whyUnread(cause)})`).join(', ');
  return new FileError(
    'ERR_FILE_WRITE',
    `Expected to take away ${each}, but the system refuses: the others are gone. Check its permissions, or who uses it, and run the command again.`,
    { cause: first?.cause },
  );
}

function onnxruntimeFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch (cause) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      'Expected onnxruntime-node beside eta-vlm, but it is not installed: there is nothing to take away. Run npm install --ignore-scripts.',
      { cause },
    );
  }
}

/** None where there is no such folder. */
function folders(path: string, failures: Failure[]): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') failures.push({ folder: path, cause });
    return [];
  }
}

/** Bytes of the files in it. What a link points to is not in it, and may not be there. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
