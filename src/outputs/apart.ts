/** No output of a command is one of its inputs, or another output: told by what files are, not by how they are spelled. */
import { fstatSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.js';
import { identityOf, type Place, placeOf } from './place.js';
import { checkPlainFile } from './whole-file.js';

/** A path, and what a message calls it, such as "the picture of --image". */
export interface Named {
  /** As it was given. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
}

/** What a command reads: a file, or a folder with all that it holds. */
export interface Input extends Named {
  /** Whether folders in this folder may be written to, as in the folder of a data set. @default false */
  readonly isOpenBelow?: boolean;
}

/** What a command writes: a file, or a folder whose files are all its own. */
export interface Output extends Named {
  /** Whether it is a folder that files are written into. @default false */
  readonly isFolder?: boolean;
}

interface Spotted<Kind> extends Place {
  readonly of: Kind;
}

/**
 * Refuses outputs that would take the place of something else. Nothing is changed.
 *
 * @throws UsageError ERR_INVALID_OPTION that names both; also for an output that is a device, a pipe, a folder in place of a
 * file, or a file with several names (hard links)
 */
export async function checkApart(outputs: readonly Output[], inputs: readonly Input[]): Promise<void> {
  const found = await Promise.all(
    outputs.map(async (of): Promise<Spotted<Output>> => ({ of, ...(await placeOf(of.path, of.name)) })),
  );
  const read = (await Promise.all(inputs.map(placeOfInput))).flat();
  for (const [index, output] of found.entries()) {
    const twin = found.slice(0, index).find(({ identity }) => identity === output.identity);
    if (twin !== undefined) refuse(output, `is ${told(twin)} too`);
    const above = found.find((other) => isBelow(output.target, other.target));
    if (above !== undefined)
      refuse(output, `lies in ${told(above)}, which is ${above.of.isFolder === true ? 'all its own' : 'a file'}`);
    const same = read.find(({ identity }) => identity === output.identity);
    if (same !== undefined) refuse(output, `is ${told(same)}`);
    const stream = streamOf(output.identity);
    if (stream !== null) refuse(output, `is what ${stream} of this command is connected to`);
    await checkFolders(output, read);
    if (output.of.isFolder !== true) checkPlainFile(output, output.of.path, output.of.name);
    else if (output.kind === 'file' || output.kind === 'other') refuse(output, 'is no folder');
    else {
      const inner = read.find((input) => isBelow(input.target, output.target));
      if (inner !== undefined) refuse(output, `holds ${told(inner)}`);
    }
  }
  await checkLinksInto(found, read);
}

/** None for a path that leads nowhere: whoever reads it says so. */
async function placeOfInput(of: Input): Promise<Spotted<Input>[]> {
  return await placeOf(of.path).then(
    (place) => [{ of, ...place }],
    () => [],
  );
}

/** An output in a folder that is read would be taken for an input the next time. */
async function checkFolders(output: Spotted<Output>, inputs: readonly Spotted<Input>[]): Promise<void> {
  const folders = inputs.filter(({ kind }) => kind === 'folder');
  if (folders.length === 0) return;
  const above = await foldersAbove(output.target);
  for (const folder of folders) {
    const depth = above.indexOf(folder.identity);
    if (depth === 0 || (depth > 0 && folder.of.isOpenBelow !== true))
      refuse(output, `lies in ${told(folder)}, and would be read as a part of it`);
  }
}

/** Identities of the folders that a path lies in, the nearest first: one that is mounted twice is one folder. */
async function foldersAbove(target: string): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (let place = dirname(target); ; place = dirname(place)) {
    found.push(await identityOf(place));
    if (place === dirname(place)) return found;
  }
}

function isBelow(target: string, folder: string): boolean {
  for (let place = target; place !== dirname(place); place = dirname(place)) if (dirname(place) === folder) return true;
  return false;
}

/** Links in a folder that is read may lead to an output outside of it. */
async function checkLinksInto(outputs: readonly Spotted<Output>[], inputs: readonly Spotted<Input>[]): Promise<void> {
  const there = new Map(outputs.filter(({ kind }) => kind === 'file').map((output) => [output.identity, output]));
  if (there.size === 0) return;
  for (const input of inputs) {
    if (input.kind !== 'folder' || input.of.isOpenBelow === true) continue;
    for await (const { path, identity } of linksIn(input.target, new Set([input.identity]))) {
      const output = there.get(identity);
      if (output !== undefined) refuse(output, `is what ${JSON.stringify(path)} leads to, in ${told(input)}`);
    }
  }
}

async function* linksIn(folder: string, seen: Set<string>): AsyncGenerator<{ path: string; identity: string }> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    const isLink = entry.isSymbolicLink();
    if (!isLink && !entry.isDirectory()) continue;
    const found = await stat(path, { bigint: true }).catch(() => null);
    if (found === null) continue;
    const identity = `${found.dev}:${found.ino}`;
    if (!found.isDirectory()) yield { path, identity };
    else if (!seen.has(identity)) yield* linksIn(path, seen.add(identity));
  }
}

/** A stream of this process that comes from or goes to a file. */
function streamOf(identity: string): string | null {
  for (const [fd, name] of ['stdin', 'stdout', 'stderr'].entries()) {
    try {
      const found = fstatSync(fd, { bigint: true });
      if (found.isFile() && `${found.dev}:${found.ino}` === identity) return name;
    } catch {
      // a stream that is closed goes nowhere
    }
  }
  return null;
}

const told = ({ of }: Spotted<Named>) => `${of.name}, ${JSON.stringify(of.path)}`;

function refuse({ of }: Spotted<Output>, what: string): never {
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${of.name}: expected a place of its own, received ${JSON.stringify(of.path)}, which ${what}. Name another.`,
  );
}
