/** Binary golden files, and the pictures of the documents, are those whose sums stand beside them: a file that changes is seen, and one without a sum too. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const golden = fileURLToPath(new URL('golden/', import.meta.url));
const BINARY = /\.(onnx|gif|bmp|tif|avif|heic|png|parquet|arrow)$/;
const lists = [
  ...readdirSync(golden, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('SHA256SUMS')),
  '../../docs/images/SHA256SUMS',
];

test('every list of sums is looked at', () => {
  assert.ok(lists.length >= 5, `only ${lists.length} lists were found`);
});

for (const list of lists) {
  const folder = join(golden, dirname(list));
  test(`${dirname(list)}: every binary file has its sum, and is what it was`, () => {
    const expected = readFileSync(join(golden, list), 'utf8');
    const names = readdirSync(folder).filter((name) => BINARY.test(name));
    const sums = names.sort().map((name) => {
      const sum = createHash('sha256').update(readFileSync(join(folder, name)));
      return `${sum.digest('hex')}  ${name}\n`;
    });
    assert.equal(sums.join(''), expected);
  });
}
