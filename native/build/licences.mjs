/** What is compiled into the addon besides our own code, each with its licence. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageOfLlama } from './llama.mjs';

/** Files of llama.cpp's source. Of headers that carry their licence at their end, that end. */
const FILES = {
  'llama.cpp (libmtmd, and ggml where cpu/ has backends)': 'LICENSE',
  'rotate-bits': 'vendor/hash/rotate-bits/LICENSE.md',
  sha256: 'vendor/hash/sha256/LICENSE',
  xxHash: 'vendor/hash/xxhash/LICENSE',
  stb_image: 'vendor/stb/stb_image.h',
  miniaudio: 'vendor/miniaudio/miniaudio.h',
};

/** @param {string} work a folder for the source's history, which is a bundle of git's */
export function licences(work) {
  const repository = join(work, 'llama.git');
  const bundle = join(packageOfLlama(), 'llama', 'gitRelease.bundle');
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  git('clone', '--quiet', '--bare', bundle, repository);
  const parts = Object.entries(FILES).map(([name, file]) => {
    const text = git('--git-dir', repository, 'show', `HEAD:${file}`);
    return [name, file.endsWith('.h') ? text.slice(text.lastIndexOf('This software is available')) : text];
  });
  const headers = dirname(createRequire(import.meta.url).resolve('node-addon-api/package.json'));
  parts.push(['node-addon-api', readFileSync(join(headers, 'LICENSE.md'), 'utf8')]);
  return parts.map(([name, text]) => `${name}\n${'='.repeat(name.length)}\n\n${text.trim()}\n`).join('\n\n');
}
