/** The package as npm would publish it, unpacked into a folder of its own, with the dependencies and the addon of this one. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const addon = process.env['ETA_VLM_ADDON'] ?? join(root, 'build', 'Release', 'eta-vlm.node');

export class UnpackedPackage {
  readonly folder: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'eta-vlm-package-'));

  constructor() {
    // npm is a script on Windows, which only a shell runs
    const options = { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' } as const;
    const said = execFileSync('npm', ['pack', '--silent', '--pack-destination', this.#home], options);
    const tarball = said.trim().split('\n').at(-1) ?? '';
    execFileSync('tar', ['-xzf', tarball], { cwd: this.#home });
    this.folder = join(this.#home, 'package');
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'), 'junction');
  }

  files(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => !path.startsWith('node_modules'));
  }

  /** Runs a program of the package with plain Node, in a folder that is not its own. Says what it wrote to stdout. */
  run(program: string, args: readonly string[] = []): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(this.folder, program), ...args], {
      cwd: this.#home,
      env: { ...process.env, ETA_VLM_ADDON: addon },
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, program);
    return stdout;
  }

  remove(): void {
    rmSync(this.#home, { recursive: true });
  }
}
