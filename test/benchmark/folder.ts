/** Small folders of exactly the distributed layouts, made for a test and taken away after it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { type BenchmarkItem, datasetOf, readItems } from '../../src/benchmark/index.js';
import { EtaError } from '../../src/errors.js';

export type Files = Readonly<Record<string, string | Uint8Array>>;

const made: string[] = [];
after(async () => {
  for (const folder of made) await rm(folder, { recursive: true, force: true });
});

/** A PNG of one red pixel. */
export const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082',
  'hex',
);

export async function folderOf(files: Files): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'eta-benchmark-'));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

export async function load(name: string, files: Files, variant?: string): Promise<readonly BenchmarkItem[]> {
  return (await readItems(datasetOf(name), { root: await folderOf(files), variant })).items;
}

/** The files without one of them. */
export function without(files: Files, ...paths: readonly string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));
}

/** The code and message of the error that loading ends in, the folder's own path as ROOT. */
export async function failure(name: string, files: Files, variant?: string): Promise<string> {
  const root = await folderOf(files);
  try {
    await readItems(datasetOf(name), { root, variant });
  } catch (error) {
    if (!(error instanceof EtaError)) throw error;
    return `${error.code}: ${error.message}`.replaceAll(root, 'ROOT');
  }
  return 'no error';
}
