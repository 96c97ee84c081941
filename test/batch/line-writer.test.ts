import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LineWriter } from '../../src/batch/line-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-writer-'));
after(() => rmSync(folder, { recursive: true }));

test('a line that was promised stands in the file, whole, before any close', async () => {
  const path = join(folder, 'a.jsonl');
  const writer = new LineWriter(path, await open(path, 'a'));
  const lines = Array.from({ length: 300 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 5000)}`);
  for (const [i, line] of lines.slice(0, 20).entries()) {
    await writer.append(line);
    assert.equal(readFileSync(path, 'utf8'), `${lines.slice(0, i + 1).join('\n')}\n`);
  }
  await Promise.all(lines.slice(20).map((line) => writer.append(line)));
  assert.equal(readFileSync(path, 'utf8'), `${lines.join('\n')}\n`, 'lines that come at once keep their order');
  await writer.flush();
  await writer.close();
});

test('after a failed write every line is refused, and nothing hangs', async () => {
  const path = join(folder, 'b.jsonl');
  await (await open(path, 'a')).close();
  const writer = new LineWriter(path, await open(path, 'r')); // as a full disk would, it refuses what is written
  const failed = { name: 'FileError', code: 'ERR_FILE_WRITE', message: /b\.jsonl.*mend the cause and resume/ };
  await assert.rejects(writer.append('one'), failed);
  await assert.rejects(writer.append('two'), failed);
  await assert.rejects(Promise.all([writer.append('three'), writer.append('four')]), failed);
  await assert.rejects(writer.flush(), failed);
  await assert.rejects(writer.close(), failed);
  assert.equal(readFileSync(path, 'utf8'), '');
});
