/** A case may end its process: what it damaged is sound again for the next. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { copied, FOLDERS, PUBLISHED, sound } from './evaluator-folders.js';

for (const place of [FOLDERS[0] ?? PUBLISHED, PUBLISHED]) {
  test(`${place.from} is copied sound over a damaged copy`, () => {
    const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-fuzz-'));
    try {
      const folder = copied(scratch, place);
      writeFileSync(join(folder, 'tokenizer.json'), '{');
      writeFileSync(join(folder, 'config.json'), '{');
      assert.equal(copied(scratch, place), folder);
      assert.deepEqual(readFileSync(join(folder, 'tokenizer.json')), sound(place.from, 'tokenizer.json'));
      const beside = readFileSync(join(folder, 'config.json'), { encoding: 'utf8', flag: 'a+' });
      assert.notEqual(beside, '{');
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}
