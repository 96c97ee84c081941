/** `@eta-vlm/<platform>`: the compiled addon of a platform. llama.cpp's own libraries stay in node-llama-cpp's package. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { licences } from './licences.mjs';
import { PACKAGE_ROOT } from './llama.mjs';
import { MANIFEST, pack } from './pack.mjs';
import { platformOfLlama } from './prebuilt.mjs';

/** Those that src/native looks for, by the names of Node. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

/**
 * @param {string} work an empty folder
 * @param {{ platform: string, compiled: string }} what one of PLATFORMS; the folder with its eta-vlm.node, loader.node
 * and, where it has some, cpu/ with backends that are tried before node-llama-cpp's
 * @param {string} target where the tarball goes
 * @returns {string} the tarball
 */
export function packPlatform(work, { platform, compiled }, target) {
  const folder = join(work, 'platform');
  mkdirSync(folder, { recursive: true });
  for (const file of ['eta-vlm.node', 'loader.node']) copyFileSync(join(compiled, file), join(folder, file));
  const cpu = join(compiled, 'cpu');
  if (existsSync(cpu)) cpSync(cpu, join(folder, 'cpu'), { recursive: true });
  const [system, architecture] = platform.split('-');
  const manifest = platformManifest(system, architecture);
  const readme = `# ${manifest.name}\n\nThe compiled addon of eta-vlm for this platform. Install \`eta-vlm\`.\n`;
  const files = {
    'package.json': `${JSON.stringify(manifest, null, 2)}\n`,
    'README.md': readme,
    LICENSE: readFileSync(join(PACKAGE_ROOT, 'LICENSE'), 'utf8'),
    'THIRD-PARTY-LICENSES': licences(work),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return pack(folder, target);
}

/** It names its libraries itself, in their exact version, so that pnpm too can find them from it. */
function platformManifest(platform, architecture) {
  return {
    name: `@eta-vlm/${platform}-${architecture}`,
    version: MANIFEST.version,
    description: `The compiled addon of eta-vlm for ${platform} ${architecture}`,
    license: `${MANIFEST.license} AND BSD-2-Clause`,
    os: [platform],
    cpu: [architecture],
    ...(platform === 'linux' && { libc: ['glibc'] }),
    engines: MANIFEST.engines,
    dependencies: {
      [`@node-llama-cpp/${platformOfLlama(platform, architecture)}`]: MANIFEST.devDependencies['node-llama-cpp'],
    },
    preferUnplugged: true, // native code is not read from an archive
  };
}
