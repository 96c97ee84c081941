/** Parts of the engine alone, in small C++ programs of their own. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface ProgramOptions {
  /** Files of native/engine that are compiled with it. */
  readonly engine?: readonly string[];
  /** Folders of headers besides native. */
  readonly headers?: readonly string[];
  readonly args?: readonly string[];
  readonly optimise?: '-O1' | '-O3';
}

/** What `test/native/NAME.cpp`, compiled, prints: lines of fields. */
export async function program(
  name: string,
  { engine = [], headers = [], args = [], optimise = '-O1' }: ProgramOptions = {},
): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), `eta-vlm-${name}-`));
  try {
    const path = join(folder, name);
    const sources = [
      join(ROOT, 'test', 'native', `${name}.cpp`),
      ...engine.map((file) => join(ROOT, 'native', 'engine', file)),
    ];
    execFileSync(process.env['CXX'] ?? 'c++', [
      '-std=c++17',
      optimise,
      ...[join(ROOT, 'native'), ...headers].map((header) => `-I${header}`),
      ...sources,
      '-o',
      path,
    ]);
    const lines = execFileSync(path, args, { encoding: 'utf8' }).trim().split('\n');
    return lines.map((line) => line.split('\t'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
