/** Text from bytes that come in any pieces, against the text itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenText, textOf } from '../../src/engine/index.js';

/** A vocabulary of single bytes. */
const source = { tokenBytes: (token: number) => Uint8Array.of(token) };

/** Characters of one, two, three and four bytes, with every lead byte class: 0xC3, 0xE0 (Hindi, Thai), 0xE3, 0xED, 0xF0. */
const TEXTS = [
  'plain',
  'größe é',
  'यह खतरनाक है।',
  'อันตรายมาก',
  'これは危険です',
  '한국어',
  '🙂🧪 𝒳',
  'a\u{10ffff}z',
  '\ufeffmark',
];

for (const text of TEXTS) {
  test(`byte by byte: ${JSON.stringify(text)}`, () => {
    const reader = new TokenText(source);
    const pieces: string[] = [];
    for (const byte of Buffer.from(text)) {
      const piece = reader.push([byte]);
      if (piece !== '') pieces.push(piece);
      assert.ok(reader.rest.length <= 3, `${reader.rest.length} bytes wait`);
    }
    assert.deepEqual(pieces, [...text], 'each character comes whole, with its last byte');
    assert.equal(reader.flush(), '');
    assert.equal(textOf(source, Buffer.from(text)), text);
  });

  test(`in every two pieces: ${JSON.stringify(text)}`, () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const reader = new TokenText(source);
      const first = reader.push(bytes.subarray(0, at));
      assert.ok(text.startsWith(first), `${at}: ${first}`);
      const next = new TokenText(source, reader.rest);
      assert.equal(first + next.push(bytes.subarray(at)), text, `cut at ${at}`);
    }
  });
}

test('what never becomes a character is told, and what follows is not lost', () => {
  const bytes = [0xe0, 0xa4, 0x41, 0xf0, 0x9f, 0x42, 0xff, 0x43, 0xc3];
  const reader = new TokenText(source);
  const pieces = bytes.map((byte) => reader.push([byte]));
  assert.equal(pieces.join('') + reader.flush(), new TextDecoder().decode(Uint8Array.from(bytes)));
});
