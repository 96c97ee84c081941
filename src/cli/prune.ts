/** `eta-vlm prune`: takes away onnxruntime's binaries for other platforms, which its package brings all of. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EvaluatorError } from '../errors.js';
import { EXIT } from '../terminal/failure.js';
import { print } from '../terminal/print.js';
import { size } from '../terminal/size.js';

export interface PruneOptions {
  readonly dryRun?: boolean;
}

/** A folder with the binaries of one platform. */
interface PlatformBinaries {
  readonly folder: string;
  readonly sizeBytes: number;
  readonly isOurs: boolean;
}

/** The package that is pruned, and where it is told. */
interface PrunePlace {
  readonly root: string;
  readonly say: (text: string) => void;
}

/** Prints a line for each folder and what was freed. @throws EvaluatorError ERR_EVALUATOR where onnxruntime-node is missing */
export function prune(
  { dryRun = false }: PruneOptions,
  { root, say }: PrunePlace = { root: onnxruntimeFolder(), say: print },
): number {
  const found = platformBinaries(root, `${process.platform}/${process.arch}`);
  const others = found.filter(({ isOurs }) => !isOurs);
  for (const { folder, sizeBytes } of others) {
    if (!dryRun) rmSync(folder, { recursive: true });
    say(`${size(sizeBytes).padStart(10)}  ${folder}\n`);
  }
  const freed = others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (others.length === 0) say('Nothing of other platforms is there.\n');
  else say(`${size(freed)} ${dryRun ? 'would be freed; nothing was touched.' : 'freed.'}\n`);
  return EXIT.ok;
}

/**
 * @internal Folders `bin/napi-v*\/<platform>/<architecture>` of the package.
 * @throws EvaluatorError ERR_EVALUATOR where there is none for this platform: then nothing may go
 */
export function platformBinaries(root: string, platform: string): PlatformBinaries[] {
  const bin = join(root, 'bin');
  const found = folders(bin)
    .filter((version) => /^napi-v\d+$/.test(version))
    .flatMap((version) => folders(join(bin, version)).map((system) => join(version, system)))
    .flatMap((path) => folders(join(bin, path)).map((architecture) => join(path, architecture)))
    .map((path) => ({
      folder: join(bin, path),
      sizeBytes: sizeOf(join(bin, path)),
      isOurs: path.replaceAll('\\', '/').endsWith(`/${platform}`),
    }));
  if (found.some(({ isOurs }) => isOurs)) return found;
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `Expected onnxruntime-node's binaries for ${platform} in ${bin}, found none of them: nothing was touched. Install the package again.`,
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

function folders(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0);
}
