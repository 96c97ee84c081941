/** An app folder as npm would install it, from what lies in this repository, and its archive. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPackageWithOptions } from '@electron/asar';

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = join(root, 'examples', 'electron');
const HERE = `${process.platform}-${process.arch}`;
/** onnxruntime's binaries of other platforms, which `eta-vlm prune` takes away. */
const FOREIGN = new RegExp(`onnxruntime-node/bin/napi-v\\d+/(?!${process.platform}($|/${process.arch}))`);

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** The compiled package of this platform, where `npm run package` made one of this very addon. */
function platformTarball(): string | undefined {
  const path = join(root, 'build', 'packages', `eta-vlm-${HERE}-${manifestOf(root).version}.tgz`);
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['engine', 'js', 'loader'].map((name) => join(root, 'native', name));
  const files = sources.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return files.every((file) => statSync(file).mtimeMs <= made) ? path : undefined;
}

export class PackedApp {
  readonly home = mkdtempSync(join(tmpdir(), 'eta-vlm-electron-'));
  readonly folder = join(this.home, 'app');
  readonly resources = join(this.home, 'resources');
  /** Where Electron lays what is unpacked. */
  readonly unpacked = join(this.resources, 'app.asar.unpacked');
  /** Whose addon it has. */
  readonly addon: 'platform package' | 'own build';

  constructor() {
    cpSync(example, this.folder, { recursive: true });
    this.#unpack(this.#packed(), 'eta-vlm');
    this.#takeDependencies(join(this.folder, 'node_modules', 'eta-vlm'));
    const tarball = platformTarball();
    this.addon = tarball === undefined ? 'own build' : 'platform package';
    if (tarball === undefined) {
      const build = join('build', 'Release');
      cpSync(join(root, build), join(this.folder, 'node_modules', 'eta-vlm', build), { recursive: true });
    } else {
      this.#unpack(tarball, `@eta-vlm/${HERE}`);
      this.#takeDependencies(join(this.folder, 'node_modules', `@eta-vlm/${HERE}`));
    }
  }

  /** @param rule as @electron/asar takes it; `pattern` says which files are packed at all */
  async pack(rule: { unpack?: string; unpackDir?: string; pattern?: string }, resources = this.resources) {
    await createPackageWithOptions(this.folder, join(resources, 'app.asar'), rule);
  }

  /** Binaries of Node-API below a folder, relative to it. */
  binaries(folder = this.unpacked): string[] {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.node'));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  #packed(): string {
    const options = { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' } as const;
    const said = execFileSync('npm', ['pack', '--silent', '--pack-destination', this.home], options);
    return join(this.home, said.trim().split('\n').at(-1) ?? '');
  }

  #unpack(tarball: string, name: string): void {
    const to = join(this.folder, 'node_modules', name);
    mkdirSync(to, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', to, '--strip-components=1']);
  }

  /** Each package that a package asks for, and those that they ask for, from where npm put them here. */
  #takeDependencies(of: string, from = root): void {
    const { dependencies, optionalDependencies } = manifestOf(of);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = installed(name, from);
      if (found === undefined) continue; // optional, and for another platform
      const to = join(this.folder, relative(root, found));
      if (existsSync(to)) continue;
      mkdirSync(dirname(to), { recursive: true });
      cpSync(found, to, { recursive: true, filter: (path) => !FOREIGN.test(path.replaceAll('\\', '/')) });
      this.#takeDependencies(found, found);
    }
  }
}

/** The nearest above, as Node looks for it. */
function installed(name: string, from: string): string | undefined {
  const path = join(from, 'node_modules', name);
  if (existsSync(path)) return path;
  return relative(root, from) === '' ? undefined : installed(name, dirname(from));
}
