/** The platforms that packages are made for: the lists that say so are the same. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findAddon } from '../../src/native/addon-place.js';
import { llamaPlatform } from '../../src/native/shared-libraries.js';

/** A file of the builder, which has no types. */
const builder = async (name: string): Promise<unknown> =>
  await import(new URL(`../../native/build/${name}.mjs`, import.meta.url).href);

const { PLATFORMS } = (await builder('platform-package')) as { PLATFORMS: readonly string[] };
const { platformOfLlama } = (await builder('prebuilt')) as { platformOfLlama(system: string, cpu: string): string };
const { TARGETS } = (await builder('targets')) as { TARGETS: Readonly<Record<string, { llama: string }>> };

/** As Node calls them. */
const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openbsd', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Whether src/native knows of a package for it. */
function isKnown(platform: string): boolean {
  try {
    findAddon({ root: '/nowhere/eta-vlm', named: undefined, platform });
  } catch (error) {
    return !String(error).includes(`there is no package for ${platform}`);
  }
  throw new TypeError('Expected no addon in /nowhere');
}

test('what src looks for, what is packed, and what is compiled for another platform are the same', () => {
  const all = SYSTEMS.flatMap((system) => PROCESSORS.map((processor) => `${system}-${processor}`));
  assert.deepEqual(all.filter(isKnown).sort(), [...PLATFORMS].sort());
  // linux-x64 is this repository's own machine: its package is compiled without zig.
  assert.deepEqual(['linux-x64', ...Object.keys(TARGETS)].sort(), [...PLATFORMS].sort());
});

test('each is called the same by the builder and by src, in the words of node-llama-cpp', () => {
  for (const platform of PLATFORMS) {
    const [system = '', processor = ''] = platform.split('-');
    assert.equal(llamaPlatform(system, processor), platformOfLlama(system, processor));
  }
  for (const [platform, { llama }] of Object.entries(TARGETS)) {
    const [system = '', processor = ''] = platform.split('-');
    assert.equal(llama, platformOfLlama(system, processor));
  }
});

test('a package for the machine itself is refused on macOS and Windows, with where it is made', () => {
  const script = fileURLToPath(new URL('../../native/package.mjs', import.meta.url));
  for (const [system, processor] of [
    ['darwin', 'arm64'],
    ['win32', 'x64'],
  ]) {
    const machine = `Object.defineProperties(process, { platform: { value: '${system}' }, arch: { value: '${processor}' } })`;
    const args = ['--import', `data:text/javascript,${encodeURIComponent(machine)}`, script];
    const refused = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, new RegExp(`compiled on Linux \\(.*--platform ${system}-${processor}\\)`));
    assert.match(spawnSync(process.execPath, [...args, '--help'], { encoding: 'utf8' }).stdout, /only\s+way/);
  }
});
