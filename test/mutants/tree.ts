/** A copy of the package in a temporary folder, into which faults are planted: nobody's own tree is changed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';

/** Tells with which libraries of llama.cpp the addon was built. */
const CACHE = 'build/addon/CMakeCache.txt';

/** What findings hang on: sources, models, tests, this program with its lists of faults, and what stands beside them. */
const COUNTS = /^(src|native|models|test)\/|^[^/]+\.(json|txt)$/;

export class Tree {
  /** Where it was copied from. */
  readonly original: string;
  readonly root: string;
  /** Of all that findings hang on, as it was copied. */
  readonly key: string;
  readonly #texts = new Map<string, string>();

  /** Copies what git knows or does not ignore, and what was built; of a copy that is there, what has changed. */
  constructor(original: string) {
    this.original = original;
    const place = createHash('sha256').update(original).digest('hex').slice(0, 12);
    this.root = join(tmpdir(), `eta-vlm-mutants-${place}`, 'tree');
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: original,
      encoding: 'utf8',
    });
    const names = listed.split('\0').filter((name) => name !== '' && existsSync(join(original, name)));
    const hash = createHash('sha256');
    for (const name of names.filter((one) => COUNTS.test(one))) {
      const { size, mtimeMs } = statSync(join(original, name));
      hash.update(`${name}\0${size}\0${mtimeMs}\0`);
    }
    this.key = hash.digest('hex').slice(0, 16);
    this.#copy(names);
  }

  /** Below the root, as it was copied: asked for before anything is planted in it. */
  text(file: string): string {
    let text = this.#texts.get(file);
    if (text === undefined) {
      text = readFileSync(join(this.root, file), 'utf8');
      this.#texts.set(file, text);
    }
    return text;
  }

  /** Another text in place of a file's; what was compiled of TypeScript follows it. */
  write(file: string, text: string): void {
    writeFileSync(join(this.root, file), text);
    if (!/^src\/.*\.ts$/.test(file)) return;
    const compiled = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    });
    const place = join(this.root, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js'));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, compiled.outputText);
  }

  /** The file as it was. */
  restore(file: string): void {
    this.write(file, this.text(file));
  }

  /** Brings the copy to where the original stands; what is there already stays. */
  #copy(names: readonly string[]): void {
    const built = ['dist', 'build/Release'].flatMap((folder) => filesIn(this.original, folder));
    const wanted = new Set([...names, ...built, CACHE]);
    for (const name of filesIn(this.root, '.')) {
      if (!wanted.has(name) && !name.startsWith('build/')) rmSync(join(this.root, name));
    }
    for (const name of wanted) if (existsSync(join(this.original, name))) this.#copyFile(name);
    const packages = join(this.root, 'node_modules');
    if (!existsSync(packages)) symlinkSync(join(this.original, 'node_modules'), packages, 'junction');
  }

  /** With its time, so that a build there begins where the last one ended. */
  #copyFile(name: string): void {
    const [from, to] = [join(this.original, name), join(this.root, name)];
    const { atime, mtime, mtimeMs, size } = statSync(from);
    const there = statSync(to, { throwIfNoEntry: false });
    if (there?.size === size && Math.abs(there.mtimeMs - mtimeMs) < 2) return;
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    utimesSync(to, atime, mtime);
  }
}

/** Files below a folder of the root, with forward slashes; what is linked is passed over. */
function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = posix.join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(root, name);
    return entry.isFile() ? [name] : [];
  });
}
