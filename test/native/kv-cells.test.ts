/** llama.cpp's cells as we correct them (native/patches/cells-of-a-sequence.patch), against the plainest bookkeeping. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { llamaSource } from '../engine/hollow-model.js';
import { program } from './program.js';

const PATCH = fileURLToPath(new URL('../../native/patches/cells-of-a-sequence.patch', import.meta.url));
const CELLS = 'src/llama-kv-cells.h';
const HEADERS = [
  CELLS,
  'src/llama-cparams.h',
  'include/llama.h',
  ...['ggml', 'ggml-alloc', 'ggml-backend', 'ggml-cpu', 'ggml-opt', 'gguf'].map((name) => `ggml/include/${name}.h`),
];

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-kv-cells-'));
after(() => rmSync(folder, { recursive: true }));

test('cells are shared, dropped and found as by hand, sixty thousand operations long', async () => {
  for (const header of HEADERS) {
    const path = join(folder, header);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, llamaSource(header));
  }
  execFileSync('git', ['apply', `--include=${CELLS}`, PATCH], { cwd: folder });
  const headers = ['src', 'include', 'ggml/include'].map((name) => join(folder, name));
  const [[operations, differences] = []] = await program('kv-cells', { headers });
  assert.equal(Number(operations), 60_000);
  assert.equal(Number(differences), 0);
});
