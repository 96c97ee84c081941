/** A Debian 13 of our own, whose Mesa runs Vulkan on the processor; made once, kept in the user's cache folder. */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, PACKAGE_ROOT } from '../../native/build/llama.mjs';
import { findProgram } from '../../native/build/options.mjs';
import { say } from '../../native/build/progress.mjs';
import { runProgram } from '../install/processes.mjs';

const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1', 'libgomp1', 'ca-certificates', 'git'];

/** Where it is: ETA_VLM_VULKAN_ROOT, or in the cache folder. */
const folder = process.env['ETA_VLM_VULKAN_ROOT'] || join(cacheFolder(), 'vulkan-root');

const work = `${folder}.building-${process.pid}`;

/** Removes what was not made to its end. */
export function removeUnfinished() {
  rmSync(work, { recursive: true, force: true });
}

/** Why no root can be made here; undefined where one can, or is there. */
export function whyNot() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x64';
  if (process.getuid?.() !== 0) return 'it needs the rights of root, to change into a system of its own';
  if (findProgram('unshare') === undefined) return 'it needs unshare (Debian: util-linux)';
  if (!existsSync(folder) && findProgram('debootstrap') === undefined) return 'it needs debootstrap';
  return undefined;
}

/** @returns its folder, or undefined where the mirror cannot be reached */
export async function vulkanRoot() {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  say(`Makes a Debian 13 in ${folder}`);
  const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, 'trixie', work];
  const mirror = process.env['ETA_VLM_DEBIAN_MIRROR'];
  const { status, stdout } = await runProgram('debootstrap', mirror === undefined ? args : [...args, mirror], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) {
    say(stdout.split('\n').slice(-8).join('\n'));
    removeUnfinished();
    return undefined;
  }
  rmSync(join(work, 'var', 'cache', 'apt', 'archives'), { recursive: true, force: true });
  renameSync(work, folder);
  return folder;
}

/** The command that runs a program inside. Its mounts are those of its own namespace, and end with it, whatever happens. */
export function inside(root, command) {
  const node = join(root, 'usr', 'local', 'bin', 'node');
  if (!existsSync(node)) writeFileSync(node, '');
  mkdirSync(join(root, PACKAGE_ROOT), { recursive: true });
  const script = `set -e
mount --rbind /proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1/usr/local/bin/node"
mount --bind "$3" "$1$3"
root="$1"; place="$3"; shift 3
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$place" "$@"`;
  return [
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      '--fork',
      '--pid',
      '--kill-child',
      'sh',
      '-c',
      script,
      'sh',
      root,
      process.execPath,
      PACKAGE_ROOT,
      ...command,
    ],
  ];
}
