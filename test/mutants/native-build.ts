/** The addon of the copy, built where only what changed is compiled; and which lines of it each test runs. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Baseline } from './baseline.js';
import { type Fault, lineOf } from './fault.js';
import type { State } from './state.js';
import { runTest } from './test-file.js';
import type { Tree } from './tree.js';

/** These build an addon of their own, of the same sources: whatever they run is not told. */
const PLANTS = /planted-addon|failure-storm/;
/** They are about builds, packages and places, and take no part of the addon in hand. */
const NOT_ASKED = /native\/(builder|cached-build|cross|peers|platforms|package-folder|build-keys|rooms)\.test/;

/** Where the copy's addon is compiled. */
const folderOf = (tree: Tree) => join(tree.root, 'build', 'addon-covered');

/** False where the compiler refuses what stands there now. The addon counts its lines. */
export async function buildNative(tree: Tree): Promise<boolean> {
  const folder = folderOf(tree);
  if (!existsSync(join(folder, 'build.ninja')) && !configure(tree, folder))
    throw new Error(`Expected cmake to configure ${folder}; see cmake.log beside the copy.`);
  const isBuilt = cmake(tree, ['--build', folder]);
  if (isBuilt) put(join(folder, 'eta-vlm.node'), join(tree.root, 'build', 'Release', 'eta-vlm.node'));
  return isBuilt;
}

/** The addon of the original in its place again. */
export function restoreNative(tree: Tree): void {
  const place = join('build', 'Release', 'eta-vlm.node');
  put(join(tree.original, place), join(tree.root, place));
}

/** With the libraries that the original's addon was linked with. */
function configure(tree: Tree, folder: string): boolean {
  const cache = readFileSync(join(tree.root, 'build', 'addon', 'CMakeCache.txt'), 'utf8');
  const kept = /^((?:ETA_LLAMA_PREFIX|ETA_LLAMA_TAG|ETA_ROUTE|ETA_BINARIES|CMAKE_JS_\w+)):\w+=(.*)$/gm;
  const definitions = [...cache.matchAll(kept)].map(([, name, value]) => `-D${name}=${value}`);
  const counting = ['-DCMAKE_BUILD_TYPE=None', '-DCMAKE_CXX_FLAGS=-O1 --coverage -fprofile-update=atomic'];
  return cmake(tree, ['-S', tree.root, '-B', folder, '-G', 'Ninja', ...counting, ...definitions]);
}

/** Every test beside an addon that counts its lines. */
export async function* nativeReach(
  tree: Tree,
  faults: readonly Fault[],
  all: readonly string[],
  { longestMs, state }: { readonly longestMs: number; readonly state: State },
): AsyncGenerator<Baseline> {
  const tests = all.filter((name) => !NOT_ASKED.test(name));
  const folder = folderOf(tree);
  for (const test of tests) {
    yield await state.once(`baseline ${test}`, async () => {
      forgetLines(folder);
      const { isGreen, ms } = await runTest(tree.root, test, { limitMs: longestMs });
      const numbers = faults.map((_, number) => number);
      const text = readFileSync(join(tree.root, test), 'utf8');
      if (!isGreen || PLANTS.test(text)) return { test, isGreen, ms, reached: numbers };
      const idle = idleLines(folder);
      const reached = [...faults.entries()].flatMap(([number, fault]) =>
        idle.has(`${fault.file}:${lineOf(tree.text(fault.file), fault)}`) ? [] : [number],
      );
      return { test, isGreen, ms, reached };
    });
  }
}

function cmake(tree: Tree, args: readonly string[]): boolean {
  const { status, stdout, stderr } = spawnSync('cmake', args, { cwd: tree.root, encoding: 'utf8' });
  writeFileSync(join(tree.root, '..', 'cmake.log'), `${stdout}\n${stderr}`);
  return status === 0;
}

const countsIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.gcda'))
    .map((name) => join(folder, name));

function forgetLines(folder: string): void {
  for (const path of countsIn(folder)) rmSync(path);
}

interface Counted {
  readonly files: readonly {
    readonly file: string;
    readonly lines: readonly { readonly line_number: number; readonly count: number }[];
  }[];
}

/** Lines of which it is told that none ran, as file:line. Of others, such as the second of a statement, nobody knows. */
function idleLines(folder: string): Set<string> {
  const [idle, ran] = [new Set<string>(), new Set<string>()];
  for (const path of countsIn(folder)) {
    const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const;
    const { stdout } = spawnSync('gcov', ['--json-format', '--stdout', path], options);
    for (const report of stdout.split('\n').filter(Boolean)) {
      for (const { file, lines } of (JSON.parse(report) as Counted).files) {
        const name = /native\/(?:engine|js)\/[\w.]+$/.exec(file)?.[0];
        if (name === undefined) continue;
        for (const { line_number: line, count } of lines) (count > 0 ? ran : idle).add(`${name}:${line}`);
      }
    }
  }
  for (const line of ran) idle.delete(line);
  return idle;
}

/** A process may have the old one open. */
function put(from: string, to: string): void {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}
