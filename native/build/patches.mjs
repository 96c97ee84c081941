/** Corrections to llama.cpp's source until its tag has them: native/patches/*.patch, each with its reason in its head. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './progress.mjs';

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), 'patches');

/** Paths, in the order in which they are applied. */
export function patchFiles() {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.patch'))
    .sort()
    .map((name) => join(FOLDER, name));
}

/**
 * Part of the key of everything that is built from the patched source. A checkout with other line ends is the same.
 *
 * @param {string} [folder] of llama.cpp: patches that change nothing in it do not count
 */
export function patchesHash(folder = '') {
  const hash = createHash('sha256');
  for (const file of patchFiles()) {
    const text = readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
    if (text.includes(`\n+++ b/${folder}`)) hash.update(text).update('\0');
  }
  return hash.digest('hex');
}

/** A patch that does not fit ends the build: the tag has changed, and somebody must look. */
export async function applyPatches(source, log) {
  for (const file of patchFiles()) await run('git', ['-C', source, 'apply', '--ignore-whitespace', file], { log });
}
