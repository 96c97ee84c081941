/** `eta-vlm` itself, with the platform packages in its manifest, where the repository's own must not name them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from './llama.mjs';
import { MANIFEST, pack } from './pack.mjs';
import { PLATFORMS } from './platform-package.mjs';

/**
 * Nobody has published under @eta-vlm yet: whoever registers the name could put code into an installation that asks the
 * registry for it. So packed for files, the platform packages are optional peers, which npm takes where they lie and never
 * fetches. Whoever owns the name and publishes all of them makes them optional dependencies (`forRegistry`): then npm
 * brings that of the platform.
 *
 * @param {string} work an empty folder
 * @param {boolean} forRegistry
 * @param {string} target where the tarball goes
 * @returns {string} the tarball
 */
export function packMain(work, forRegistry, target) {
  const plain = pack(PACKAGE_ROOT, work);
  execFileSync('tar', ['-xzf', plain], { cwd: work });
  rmSync(plain);
  const folder = join(work, 'package');
  const file = join(folder, 'package.json');
  const manifest = withPlatforms(JSON.parse(readFileSync(file, 'utf8')), forRegistry);
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  mkdirSync(target, { recursive: true });
  return pack(folder, target);
}

/** The manifest with every platform package in exactly its own version. */
export function withPlatforms(manifest, forRegistry) {
  const names = PLATFORMS.map((name) => `@eta-vlm/${name}`);
  const versions = Object.fromEntries(names.map((name) => [name, MANIFEST.version]));
  if (forRegistry) {
    return { ...manifest, optionalDependencies: { ...manifest.optionalDependencies, ...versions } };
  }
  return {
    ...manifest,
    peerDependencies: { ...manifest.peerDependencies, ...versions },
    peerDependenciesMeta: Object.fromEntries(names.map((name) => [name, { optional: true }])),
  };
}
