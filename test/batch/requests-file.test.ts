import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { countRequests, readRequests, requestsOf, type Shard } from '../../src/batch/index.js';
import { shardOf } from '../../src/batch/shard.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-requests-'));
after(() => rmSync(folder, { recursive: true }));

async function read(text: string | Buffer, shard?: Shard) {
  const path = join(folder, 'requests.jsonl');
  writeFileSync(path, text);
  const requests = [];
  for await (const request of readRequests(path, shard === undefined ? {} : { shard })) requests.push(request);
  return { requests, count: await countRequests(path) };
}

test('blank lines are passed over, and count as lines', async () => {
  const { requests, count } = await read('\ufeff{"prompt":"a"}\r\n\r\n  \n{"prompt":"b"}\n\n{oops}\n{"prompt":"c"}');
  assert.deepEqual(
    requests.map(({ id, line }) => [id, line]),
    [
      ['line-1', 1],
      ['line-4', 4],
      [null, 6],
      ['line-7', 7],
    ],
  );
  assert.equal(count, 5, 'lines of spaces alone are counted with the others: the count is for telling progress');
});

test('an empty file has no requests', async () => {
  assert.deepEqual(await read(''), { requests: [], count: 0 });
});

test('shards share every request, each once, whatever stands around it', async () => {
  const lines = Array.from({ length: 300 }, (_, i) => `{"id":"item ${i}","prompt":"p"}`);
  lines.push('{broken', '{"id":"","prompt":"p"}');
  const met: (string | null)[] = [];
  for (let index = 1; index <= 4; index++) {
    const { requests } = await read(lines.join('\n'), { index, count: 4 });
    const share = requests.length / lines.length;
    assert.ok(share > 0.15 && share < 0.35, `shard ${index} of 4 has ${share} of all`);
    const { requests: others } = await read([...lines].reverse().join('\n'), { index, count: 4 });
    assert.deepEqual(new Set(requests.map(({ id }) => id)), new Set(others.map(({ id }) => id)));
    met.push(...requests.map(({ id, line }) => id ?? `line ${line}`));
  }
  assert.equal(met.length, lines.length);
  assert.equal(new Set(met).size, lines.length);
});

test('a shard is told by the id alone, the same on every machine and in every version', () => {
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'größe'].map((id) => shardOf(id, 4)),
    // python3 -c "import hashlib; print([int.from_bytes(hashlib.sha256(s.encode()).digest()[:4],'big')%4+1 for s in ['a','b','c','d','größe']])"
    [3, 3, 4, 4, 4],
  );
});

test('a file that is not there, and a folder, are told', async () => {
  const read = async (path: string) => {
    for await (const _ of readRequests(path)) assert.fail('expected no request');
  };
  await assert.rejects(read(join(folder, 'none.jsonl')), { code: 'ERR_FILE_READ', message: /found none/ });
  await assert.rejects(read(folder), {
    code: 'ERR_FILE_INVALID',
    message: /Expected a data set in the folder .*found requests\.jsonl/,
  });
});

test('a stream that never ends is left at the signal', async () => {
  const controller = new AbortController();
  const endless = new Readable({ read: () => undefined });
  endless.push('{"prompt":"a"}\n');
  const requests = requestsOf(endless, { what: 'stdin', folder: '.', signal: controller.signal });
  assert.equal((await requests.next()).value?.id, 'line-1');
  const next = requests.next();
  controller.abort();
  await assert.rejects(next, { code: 'ERR_ABORTED' });
});

test('of a stream that breaks the system’s errors are told as ours, those of its maker as they are', async () => {
  const readsUntil = async (error: Error) => {
    const broken = new Readable({ read: () => undefined });
    broken.push('{"prompt":"a"}\n');
    const requests = requestsOf(broken, { what: 'stdin', folder: '.' });
    assert.equal((await requests.next()).value?.id, 'line-1');
    broken.destroy(error);
    await requests.next();
  };
  const system = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
  await assert.rejects(readsUntil(system), {
    code: 'ERR_FILE_READ',
    message: 'Expected to read stdin, but it failed: EIO: i/o error, read.',
    cause: system,
  });
  await assert.rejects(readsUntil(new RangeError('its own')), { name: 'RangeError', message: 'its own' });
});

test('a pipe is not counted, which would take its requests away', { skip: process.platform === 'win32' }, async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const late = setTimeout(() => writeFileSync(path, ''), 2000); // who waits for a writer has one
  await assert.rejects(countRequests(path), { code: 'ERR_FILE_READ', message: /received a pipe/ });
  clearTimeout(late);
});
