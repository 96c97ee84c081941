/** Versions and machine, as reports print them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { physicalCoreCount } from '../cores.js';
import { loadBinding } from '../native/binding.js';
import type { Fact } from '../report/index.js';

const require = createRequire(import.meta.url);

/** The package's own version. */
export function packageVersion(): string {
  return versionOf('../../package.json');
}

export function runVersions(): Readonly<Record<string, string>> {
  return {
    'eta-vlm': packageVersion(),
    'llama.cpp': loadBinding().build.llamaTag,
    onnxruntime: versionOf('onnxruntime-node/package.json'),
    Node: process.versions.node,
  };
}

export function runMachine(): Readonly<Record<string, Fact>> {
  const devices = loadBinding()
    .devices()
    .map(({ name }) => name);
  return {
    system: `${platform()} ${arch()} ${release()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    'physical cores': physicalCoreCount(),
    'memory (GiB)': Math.round(totalmem() / 2 ** 30),
    devices: devices.length === 0 ? 'none' : devices.join(', '),
  };
}

function versionOf(specifier: string): string {
  const manifest: unknown = JSON.parse(readFileSync(require.resolve(specifier), 'utf8'));
  return (manifest as { version: string }).version;
}
