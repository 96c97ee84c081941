/** What a graph is computed with on the processor. */
import { existsSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stampOf } from '../verified/index.js';
import { libraryFolder } from './missing-runtime.js';

/**
 * This copy of onnxruntime, of this package's code around it, the processor, and the threads: where none has changed, a
 * graph computes what it computed before. Null where that cannot be said.
 */
export async function runtimeFacts(threadCount: number): Promise<readonly unknown[] | null> {
  const folder = libraryFolder();
  if (folder === undefined || !existsSync(folder)) return null;
  const files = [...readdirSync(folder).map((name) => join(folder, name)), fileURLToPath(import.meta.url)];
  const stamps = await Promise.all(files.map(stampOf));
  const digests = stamps.map((stamp) => (stamp?.isSettled ? stamp.digest : null));
  if (digests.includes(null)) return null;
  return [digests, process.platform, process.arch, cpus()[0]?.model ?? '', threadCount];
}
