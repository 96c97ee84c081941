/** Keys of what the builder keeps: nothing that was made from other sources is taken. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The builder has no types. */
const keys = (await import(new URL('../../native/build/keys.mjs', import.meta.url).href)) as {
  multimodalKey(compiler: string, flags: readonly string[], folder?: string): string;
  crossKey(compiler: string, folder?: string): string;
  variantsKey(of: { flags: readonly string[]; compiler: string; wanted: string }, folder?: string): string;
};

const original = fileURLToPath(new URL('../../native/build', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-keys-'));
after(() => rmSync(scratch, { recursive: true }));
let copyCount = 0;

function copy(): string {
  const folder = join(scratch, `${copyCount++}`);
  cpSync(original, folder, { recursive: true });
  return folder;
}

const crossFlags = ['-DCMAKE_TOOLCHAIN_FILE=zig.cmake'];
const KEYS = {
  multimodal: {
    of: (folder?: string) => keys.multimodalKey('c++', [], folder),
    sources: ['mtmd/CMakeLists.txt'],
  },
  cross: {
    of: (folder?: string) => keys.crossKey('zig', folder),
    sources: ['mtmd/CMakeLists.txt', 'targets.mjs', 'import-libraries.mjs', 'zig.cmake', 'zig-arm.mjs'],
  },
  variants: {
    of: (folder?: string) => keys.variantsKey({ flags: [], compiler: 'c++', wanted: 'all' }, folder),
    sources: ['cpu/CMakeLists.txt', 'cpu/score.c'],
  },
  'variants of another platform': {
    of: (folder?: string) => keys.variantsKey({ flags: crossFlags, compiler: 'zig', wanted: 'all' }, folder),
    sources: ['cpu/CMakeLists.txt', 'cpu/score.c', 'zig.cmake', 'zig-arm.mjs'],
  },
};

for (const [name, { of, sources }] of Object.entries(KEYS)) {
  test(`${name}: another text of a source, another key; another clone or other line ends, the same`, () => {
    const here = of();
    assert.match(here, /^[0-9a-f]{12}$/);
    for (const source of sources) {
      const folder = copy();
      const file = join(folder, source);
      assert.equal(of(folder), here);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
      assert.equal(of(folder), here);
      appendFileSync(file, '# changed\n');
      assert.notEqual(of(folder), here, source);
    }
    const folder = copy();
    appendFileSync(join(folder, 'pack.mjs'), '// nothing of it\n');
    assert.equal(of(folder), here);
  });
}

test('a source by another name is another key', () => {
  const folder = copy();
  renameSync(join(folder, 'cpu', 'score.c'), join(folder, 'cpu', 'scores.c'));
  assert.notEqual(KEYS.variants.of(folder), KEYS.variants.of());
});
