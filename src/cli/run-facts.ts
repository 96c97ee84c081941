/** Versions and machine, as reports print them. */
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { physicalCoreCount } from '../cores.js';
import { loadBinding } from '../native/binding.js';
import type { Fact } from '../report/index.js';
import { manifestOf } from './installed.js';

/** The package's own version. */
export function packageVersion(): string {
  return manifestOf().version;
}

export function runVersions(): Readonly<Record<string, string>> {
  return {
    'eta-vlm': packageVersion(),
    'llama.cpp': loadBinding().build.llamaTag,
    onnxruntime: manifestOf('onnxruntime-node').version,
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
