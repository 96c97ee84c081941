import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** What {@link syncsOf} finds. */
interface Syncs {
  readonly handle: FileHandle;
  /** Bytes that were on the disk for sure: those that stood in the file when the last finished sync began. */
  readonly safeBytes: () => number;
}

/** The system's own file, of which each sync is noted. */
async function syncsOf(path: string): Promise<Syncs> {
  const handle = await open(path, 'a');
  let safe = 0;
  const datasync = handle.datasync.bind(handle);
  handle.datasync = async () => {
    const { size } = statSync(path);
    await datasync();
    safe = Math.max(safe, size);
  };
  return { handle, safeBytes: () => safe };
}

test('what was written reaches the disk by itself, soon', async () => {
  const path = join(folder, 'c.jsonl');
  const { handle, safeBytes } = await syncsOf(path);
  const writer = new LineWriter(path, handle);
  for (const [line, bytes] of [
    ['one', 4],
    ['two', 8],
  ] as const) {
    await writer.append(line);
    for (let waited = 0; safeBytes() < bytes && waited < 20_000; waited += 50) await sleep(50);
    assert.equal(safeBytes(), bytes);
  }
  await writer.close();
});

test('a flush ends when all that was appended before it is on the disk, and what came while it waited too', async () => {
  const path = join(folder, 'd.jsonl');
  const { handle, safeBytes } = await syncsOf(path);
  const writer = new LineWriter(path, handle);
  for (let time = 0; time < 50; time++) {
    void writer.append(`first ${time}`);
    const first = writer.flush();
    void writer.append(`second ${time}`);
    await Promise.all([first, writer.append(`third ${time}`).then(() => writer.flush())]);
    assert.equal(safeBytes(), statSync(path).size);
  }
  await writer.append('last');
  await writer.close();
  assert.equal(safeBytes(), statSync(path).size, 'closing flushes');
  assert.equal(handle.fd, -1, 'the file is closed');
});

test('a line that is written while the disk is busy with a sync gets one of its own', async () => {
  const path = join(folder, 'g.jsonl');
  const { handle, safeBytes } = await syncsOf(path);
  const append = handle.appendFile.bind(handle);
  const writer = new LineWriter(path, handle);
  await writer.append('one');
  handle.appendFile = async (text) => {
    for (let waited = 0; safeBytes() < 4 && waited < 20_000; waited += 20) await sleep(20); // the sync of the first
    await append(text);
  };
  await writer.append('two');
  await writer.flush();
  assert.equal(safeBytes(), 8);
  await writer.close();
});

test('the file is closed also when it could not be written, and whether somebody was told is known', async () => {
  const path = join(folder, 'e.jsonl');
  await (await open(path, 'a')).close();
  const handle = await open(path, 'r');
  const writer = new LineWriter(path, handle);
  assert.equal(writer.isFailureTold, false);
  await assert.rejects(writer.append('one'), { code: 'ERR_FILE_WRITE' });
  assert.equal(writer.isFailureTold, true);
  await assert.rejects(writer.close(), { code: 'ERR_FILE_WRITE' });
  assert.equal(handle.fd, -1);
});

test('a disk that fails when it is synced is told by the next flush', async () => {
  const path = join(folder, 'f.jsonl');
  const handle = await open(path, 'a');
  const writer = new LineWriter(path, handle);
  await writer.append('one');
  handle.datasync = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'fsync' }));
  await assert.rejects(writer.flush(), { code: 'ERR_FILE_WRITE', message: /f\.jsonl/ });
  await assert.rejects(writer.append('two'), { code: 'ERR_FILE_WRITE' });
  await assert.rejects(writer.close(), { code: 'ERR_FILE_WRITE' });
  assert.equal(readFileSync(path, 'utf8'), 'one\n', 'nothing follows what may be lost');
});
