/** Where an installed package lies: one search for the addon's package and for those of the libraries that it needs. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What tells which program runs. */
export interface ProgramFacts {
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  /** Main file of a program of CommonJS. */
  readonly mainFile: string | undefined;
  /** In an Electron application that is packed, whose arguments are the user's from the first on. */
  readonly isPackedElectron: boolean;
}

/** Files of the program that this process works for; null: of its own. */
let callers: readonly string[] | null = null;

/** In a process that another one started: packages are looked for from the files of that one's program. */
export function actFor(program: readonly string[]): void {
  callers = program;
}

const EVALUATES = /^(-e|-p|-pe|--eval|--print)(=|$)/;

/**
 * Asked of Node, since npm, pnpm and Yarn lay packages out each in its own way: from each place, from here, and from the
 * program that runs, because eta-vlm may be linked into it, and a package of a GPU is the application's own choice. Never
 * from the working folder, nor beside a file that is only named as an argument: they may be a stranger's.
 */
export function packageFolder(
  name: string,
  places: readonly string[],
  program: readonly string[] = callers ?? programFiles(),
): string | undefined {
  for (const place of [...places, fileURLToPath(import.meta.url), ...program]) {
    const { resolve } = createRequire(place);
    const folder =
      folderOf(() => dirname(resolve(`${name}/package.json`))) ??
      folderOf(() => dirname(dirname(resolve(name)))) ?? // node-llama-cpp's export their dist/index.js alone
      brokenFolder(resolve.paths(name) ?? [], name);
    if (folder !== undefined) return folder;
  }
  return undefined;
}

/** @internal Files of the program that runs, none that may be an argument. */
export function programFiles(facts: ProgramFacts = programFacts()): string[] {
  const { argv, execArgv, mainFile, isPackedElectron } = facts;
  const isArgument = isPackedElectron || execArgv.some((option) => EVALUATES.test(option));
  const candidates = [mainFile, isArgument ? undefined : argv[1]];
  return candidates.filter((file) => file !== undefined).filter((file) => isAbsolute(file));
}

function programFacts(): ProgramFacts {
  const { argv, execArgv, versions } = process;
  const isPackedElectron = versions['electron'] !== undefined && !('defaultApp' in process && process.defaultApp);
  return { argv, execArgv, mainFile: createRequire(import.meta.url).main?.filename, isPackedElectron };
}

/** What a package says of its version, to go after "received". Its package.json may be cut off. */
export function packageVersion(folder: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string };
    return version ?? 'one without version';
  } catch {
    return 'a package.json that cannot be read';
  }
}

/** Node finds no package whose package.json it cannot read: the first of this name that is in its way. */
function brokenFolder(modules: readonly string[], name: string): string | undefined {
  return modules.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, 'package.json')));
}

function folderOf(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined; // not from there
  }
}
