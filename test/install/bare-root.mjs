/** A Debian without compiler, CMake and git, and Node and package managers from npm's registry in it. Linux, as root. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './processes.mjs';

/** Why no root can be made here: the whole test is then left out. */
export class CannotRun extends Error {}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export class BareRoot {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-root-'));

  /** @throws CannotRun */
  static check() {
    if (process.platform !== 'linux' || process.getuid() !== 0) throw new CannotRun('it needs root on Linux');
    if (spawnSync('debootstrap', ['--version']).status !== 0) throw new CannotRun('debootstrap is not installed');
    if (spawnSync('unshare', ['--mount', '--net', 'true']).status !== 0) {
      throw new CannotRun('no namespaces of mounts and networks can be made');
    }
  }

  /** Takes half a minute. @throws CannotRun */
  async make() {
    // libatomic1 is for Node 26 itself.
    const wanted = ['--variant=minbase', '--include=ca-certificates,libatomic1', 'bookworm', this.folder];
    const { status, stdout, stderr } = await runProgram('debootstrap', wanted);
    if (status !== 0) {
      throw new CannotRun(`debootstrap ended with ${status}: ${`${stdout}${stderr}`.trim().split('\n').at(-1)}`);
    }
    // What reaches a registry from here reaches it from there.
    if (existsSync(CERTIFICATES)) copyFileSync(CERTIFICATES, join(this.folder, CERTIFICATES));
    if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', join(this.folder, 'etc', 'resolv.conf'));
  }

  /** Compilers and the like that a program could find in it. */
  tools() {
    const folders = ['usr/bin', 'usr/local/bin', 'usr/sbin'].map((name) => join(this.folder, name));
    const names = folders.flatMap((folder) => readdirSync(folder));
    return names.filter((name) => /^(gcc|g\+\+|cc|c\+\+|clang|cmake|make|git|python3?)(-[\d.]+)?$/.test(name));
  }

  /** A package of npm's registry, unpacked into the root. @returns its folder there @throws CannotRun */
  async unpack(specifier) {
    const to = join(this.folder, 'opt', specifier);
    mkdirSync(to, { recursive: true });
    const packed = await runProgram('npm', ['pack', '--silent', '--pack-destination', to, specifier]);
    if (packed.status !== 0)
      throw new CannotRun(`${specifier} cannot be had from the registry: ${packed.stderr.trim()}`);
    const tarball = join(to, packed.stdout.trim().split('\n').at(-1));
    spawnSync('tar', ['-xzf', tarball, '-C', to, '--strip-components=1']);
    rmSync(tarball);
    return join('/opt', specifier);
  }

  /**
   * Runs a command in it, with a /proc and a /dev that are gone when it ends.
   *
   * @param {string[]} command
   * @param {{ cwd: string, env: Record<string, string>, isOffline?: boolean }} options
   */
  async run(command, { cwd, env, isOffline = false }) {
    const inside = 'exec /usr/sbin/chroot "$root" /bin/sh -c \'cd "$0" && exec "$@"\' "$cwd" "$@"';
    const script = `root="$1" cwd="$2"; shift 2; mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && ${inside}`;
    const kinds = isOffline ? ['--mount', '--net'] : ['--mount'];
    const started = performance.now();
    const { status, stdout, stderr } = await runProgram(
      'unshare',
      [...kinds, 'bash', '-c', script, 'bash', this.folder, cwd, ...command],
      { env, timeout: 600_000 },
    );
    return { status, stdout, stderr, seconds: (performance.now() - started) / 1000 };
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
