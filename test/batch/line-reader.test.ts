import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteLine, readLines } from '../../src/batch/line-reader.js';
import { deriveSeed } from '../../src/engine/index.js';

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array, void> {
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
}

async function linesOf(text: string, cuts: readonly number[], maxBytes = 1000): Promise<ByteLine[]> {
  const lines: ByteLine[] = [];
  for await (const line of readLines(inPieces(Buffer.from(text), cuts), maxBytes)) lines.push(line);
  return lines;
}

const text = 'first\n\nzweite Zeile: Größe\r\n\n{"a":1}\nlast without newline';

test('lines are the same wherever the chunks are cut', async () => {
  const expected = text.split('\n');
  const size = Buffer.byteLength(text);
  const cuts = [
    [],
    ...Array.from({ length: size + 1 }, (_, cut) => [cut]),
    ...Array.from({ length: 200 }, (_, i) =>
      Array.from({ length: 5 }, (_, j) => deriveSeed(7, i, j) % (size + 1)).sort((a, b) => a - b),
    ),
  ];
  for (const cut of cuts) {
    const lines = await linesOf(text, cut);
    assert.deepEqual(
      lines.map(({ bytes }) => Buffer.from(bytes ?? []).toString()),
      expected,
    );
    assert.deepEqual(
      lines.map(({ number }) => number),
      [1, 2, 3, 4, 5, 6],
    );
    for (const { offset, byteCount, bytes, endsInNewline } of lines) {
      assert.equal(
        Buffer.from(text)
          .subarray(offset, offset + byteCount)
          .compare(bytes ?? Buffer.alloc(0)),
        0,
      );
      assert.equal(endsInNewline, offset + byteCount < size);
    }
  }
});

test('an empty source has no lines, and a newline at the end begins none', async () => {
  assert.deepEqual(await linesOf('', []), []);
  assert.equal((await linesOf('a\n', [])).length, 1);
  assert.equal((await linesOf('\n', [])).length, 1);
});

test('a line beyond the limit is told by its length, and the next is read as if it were not there', async () => {
  for (const cuts of [[], [3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]) {
    const lines = await linesOf('ab\n0123456789\ncd\n', cuts, 9);
    assert.deepEqual(
      lines.map(({ bytes, byteCount }) => [bytes === null ? null : Buffer.from(bytes).toString(), byteCount]),
      [
        ['ab', 2],
        [null, 10],
        ['cd', 2],
      ],
    );
  }
  assert.notEqual((await linesOf('0123456789\n', [], 10))[0]?.bytes, null, 'the limit itself is allowed');
});
