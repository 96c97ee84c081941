/** Files held against the hashes that their card lists. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compare, hashesOfCard } from '../../src/cli/card-hashes.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-card-'));
after(() => rmSync(folder, { recursive: true }));

test('a file matches its hash until one byte of it is another; of what nothing is said nothing is known', async () => {
  const [first, second] = ['one.gguf', 'two.gguf'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(first, Buffer.alloc(5000, 7));
  writeFileSync(second, Buffer.alloc(100, 1));
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  writeFileSync(
    join(folder, 'README.md'),
    `# Card\n\n| \`one.gguf\` | ${hash(first)} |\n| \`two.gguf\` | ${hash(second)} |\n`,
  );
  const card = await hashesOfCard(folder);
  assert.deepEqual([...card].sort(), [
    [first, hash(first)],
    [second, hash(second)],
  ]);
  assert.equal(await compare(first, card.get(first)), 'matches');
  assert.equal(await compare(first, card.get(second)), 'differs');
  const flipped = readFileSync(first);
  flipped[4321] = 6;
  writeFileSync(first, flipped);
  assert.equal(await compare(first, card.get(first)), 'differs');
  assert.equal(await compare(first, undefined), 'unknown');
  assert.equal((await hashesOfCard(join(folder, 'none'))).size, 0);
});
