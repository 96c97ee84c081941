import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawsPictures, pictureLines } from '../../src/cli/demo/picture.js';
import { columnsOf, createPaint, forTerminal, labelled, wantsColour, wrap } from '../../src/terminal/paint.js';

test('colour: NO_COLOR, then FORCE_COLOR, then the terminal', () => {
  const terminal = { isTTY: true };
  assert.equal(wantsColour(terminal, {}), true);
  assert.equal(wantsColour(terminal, { TERM: 'dumb' }), false);
  assert.equal(wantsColour(terminal, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour(terminal, { NO_COLOR: '' }), true);
  assert.equal(wantsColour(terminal, { FORCE_COLOR: '0' }), false);
  assert.equal(wantsColour({}, {}), false);
  assert.equal(wantsColour({}, { FORCE_COLOR: '1' }), true);
  assert.equal(wantsColour({}, { FORCE_COLOR: '1', NO_COLOR: '1' }), false);
  assert.equal(forTerminal(createPaint(terminal, {})('red', 'x')), '\x1b[31mx\x1b[39m');
  assert.equal(createPaint({}, {})('red', 'x'), 'x');
});

test('lines are wrapped at spaces, long words are cut, line breaks are kept', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij kl', 4), ['abcd', 'efgh', 'ij', 'kl']);
  assert.deepEqual(wrap('a\n\nb', 10), ['a', '', 'b']);
  assert.deepEqual(wrap('', 10), ['']);
  assert.deepEqual(labelled('name', 'one two three four five', { labelWidth: 6, columns: 26 }), [
    'name  one two three four',
    '      five',
  ]);
});

test('columns: those of the terminal within reason; elsewhere no line is broken', () => {
  assert.equal(columnsOf({}), Number.POSITIVE_INFINITY);
  assert.equal(columnsOf({ isTTY: true, columns: 72 }), 72);
  assert.equal(columnsOf({ isTTY: true, columns: 300 }), 100);
  assert.equal(columnsOf({ isTTY: true, columns: 10 }), 40);
  assert.equal(columnsOf({ isTTY: true, columns: 0 }), 80);
  assert.equal(columnsOf({ isTTY: false, columns: 300 }), Number.POSITIVE_INFINITY);
  assert.deepEqual(wrap('one two three', columnsOf({})), ['one two three']);
});

test('a picture is drawn where 24-bit colour is', () => {
  const terminal = { isTTY: true };
  assert.equal(drawsPictures(terminal, { COLORTERM: 'truecolor' }), true);
  assert.equal(drawsPictures(terminal, {}), false);
  assert.equal(drawsPictures(terminal, { COLORTERM: 'truecolor', NO_COLOR: '1' }), false);
  assert.equal(drawsPictures({}, { COLORTERM: 'truecolor', FORCE_COLOR: '1' }), false);
  const data = new Uint8Array(4 * 4 * 3).fill(200, 0, 24);
  const lines = pictureLines({ data, width: 4, height: 4 }, 2);
  assert.deepEqual(lines.map(forTerminal), [`${'\x1b[38;2;200;200;200m\x1b[48;2;0;0;0m▀'.repeat(2)}\x1b[0m`]);
});
