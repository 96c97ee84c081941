/** llama.cpp's own programs, built here from the source, the patches and the flags of the addon's libraries. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Program = 'llama-server' | 'llama-bench' | 'llama-mtmd-cli';

const builder = fileURLToPath(new URL('../../native/peers.mjs', import.meta.url));
let folder: string | undefined;

/** Path of a program. Where they are not built the process ends with 3, and the builder has said what makes them. */
export function peer(name: Program): string {
  folder ??= findFolder();
  return join(folder, process.platform === 'win32' ? `${name}.exe` : name);
}

function findFolder(): string {
  const { status, stdout } = spawnSync(process.execPath, [builder, '--find'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
  return stdout.trim();
}

/** The line in which llama.cpp tells its version. */
export function peerVersion(): string {
  const { stdout, stderr } = spawnSync(peer('llama-server'), ['--version'], { encoding: 'utf8' });
  return /version:.*/.exec(stdout + stderr)?.[0] ?? 'version unknown';
}
