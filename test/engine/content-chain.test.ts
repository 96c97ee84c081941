/** What is written down of sequences, against the same tokens and pictures in one flat list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apartBehind,
  type Content,
  type ContentChain,
  cellsApart,
  chained,
  cutChain,
  type Flat,
  flatOf,
  partsBehind,
  partsOf,
  positionBehind,
  sharedTokenCount,
  tokenCountOf,
  usableTokenCount,
  wholeTokenCount,
} from '../../src/engine/content-chain.js';
import type { NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';

const picture = (tokenCount: number, positionCount = tokenCount): NativeImage => ({
  tokenCount,
  positionCount,
  embeddingBytes: 4,
  dispose: () => undefined,
});
const tokens = (...all: number[]) => Int32Array.from(all);
const chainOf = (parts: readonly NativePart[]) =>
  parts.reduce<Content>((content, part) => chained(content, part), null) as ContentChain;

const wide = picture(6, 2);
const PARTS = [tokens(1, 2, 3), wide, tokens(4), tokens(5, 6), picture(2), tokens(7)];
const WHOLE = chainOf(PARTS);
/** Every token or row of it, in order. */
const ROWS = PARTS.flatMap((part): (number | NativeImage)[] =>
  part instanceof Int32Array ? [...part] : Array(part.tokenCount).fill(part),
);
/** Counts that do not end inside a picture. */
const PLACES = [0, 1, 2, 3, 9, 10, 11, 12, 14, 15];

const rowsOf = (content: Content) => {
  assert.ok(content !== 'unknown');
  if (content === null) return [];
  return partsOf(content).flatMap((part): (number | NativeImage)[] =>
    part instanceof Int32Array ? [...part] : Array(part.tokenCount).fill(part),
  );
};

test('a chain counts its tokens, and its positions apart', () => {
  assert.equal(WHOLE.tokenCount, ROWS.length);
  assert.equal(positionBehind(WHOLE), ROWS.length - 4);
  assert.equal(positionBehind(null), 0);
  assert.equal(chained(WHOLE, new Int32Array(0)), WHOLE, 'nothing is no piece');
  assert.equal(chained('unknown', tokens(1)), 'unknown');
});

test('cut to any count it holds the first so many; inside a picture nobody knows', () => {
  for (let count = 0; count <= ROWS.length + 1; count++) {
    const cut = cutChain(WHOLE, count);
    if (!PLACES.includes(Math.min(count, ROWS.length))) {
      assert.equal(cut, 'unknown', `${count}`);
      continue;
    }
    assert.deepEqual(rowsOf(cut), ROWS.slice(0, count), `${count}`);
    const held = cut === null || cut === 'unknown' ? 0 : cut.tokenCount;
    assert.equal(held, Math.min(count, ROWS.length));
  }
  assert.deepEqual([cutChain('unknown', 0), cutChain('unknown', 1)], [null, 'unknown']);
});

test('what is cut shares its cells with the whole; what is set apart has its own behind the place', () => {
  const count = (one: Content, other: Content) => cellsApart([one as ContentChain], [other]);
  for (const place of PLACES) {
    const cut = cutChain(WHOLE, place);
    assert.equal(count(cut, WHOLE), 0, `${place}`);
    assert.equal(count(WHOLE, cut), ROWS.length - place);
    const apart = apartBehind(WHOLE, place);
    assert.deepEqual(rowsOf(apart), ROWS);
    assert.equal(count(apart, WHOLE), ROWS.length - place, `${place}`);
    assert.equal(cellsApart([WHOLE, apart as ContentChain], []), 2 * ROWS.length - place, 'both together');
  }
  assert.equal(apartBehind('unknown', 3), 'unknown');
  assert.equal(apartBehind(null, 3), null);
  assert.equal(apartBehind(WHOLE, ROWS.length), WHOLE);
  assert.equal(cellsApart([WHOLE, WHOLE, null], ['unknown']), ROWS.length, 'the same cells count once');
});

test('what is left behind so many tokens', () => {
  for (const place of PLACES) {
    const left = partsBehind(PARTS, place);
    assert.deepEqual(rowsOf(chainOf(left)), ROWS.slice(place), `${place}`);
    assert.ok(left.every((part) => !(part instanceof Int32Array && part.length === 0)));
  }
});

test('two prompts begin alike as far as tokens and the very pictures are the same', () => {
  const flat = flatOf(PARTS);
  assert.equal(tokenCountOf(flat), ROWS.length);
  const shared = (...parts: NativePart[]) => [
    sharedTokenCount(flat, flatOf(parts)),
    sharedTokenCount(flatOf(parts), flat),
  ];
  assert.deepEqual(shared(tokens(1, 2, 9)), [2, 2]);
  assert.deepEqual(shared(tokens(1, 2, 3), wide, tokens(4, 9)), [10, 10]);
  assert.deepEqual(shared(tokens(1, 2, 3), picture(6, 2), tokens(4)), [3, 3], 'another picture of the same size');
  assert.deepEqual(shared(...PARTS), [ROWS.length, ROWS.length]);
  assert.deepEqual(shared(), [0, 0]);
  for (let limit = 0; limit <= ROWS.length + 1; limit++) {
    const most = Math.max(...PLACES.filter((place) => place <= limit));
    assert.equal(wholeTokenCount(flat, limit), most, `${limit}`);
  }
});

test('a prompt starts from as much as leaves something to compute, or from all where the output is there', () => {
  const flat = flatOf([tokens(1, 2, 3, 4, 5)]);
  const from = (there: Flat, hasOutput: boolean, forksAnywhere: boolean) =>
    usableTokenCount({ flat: there, tokenCount: tokenCountOf(there), hasOutput }, flat, forksAnywhere);
  assert.equal(from(flat, true, false), 5);
  assert.equal(from(flat, false, true), 4, 'the last is computed again');
  assert.equal(from(flat, false, false), 0, 'where a fork cannot be cut');
  const shorter = flatOf([tokens(1, 2, 3)]);
  assert.deepEqual([from(shorter, true, false), from(shorter, false, false)], [3, 3]);
  const longer = flatOf([tokens(1, 2, 3, 4, 5, 6)]);
  assert.deepEqual([from(longer, true, true), from(longer, true, false)], [4, 0]);
  const other = flatOf([tokens(1, 2, 9)]);
  assert.deepEqual([from(other, true, true), from(other, true, false)], [2, 0]);
  const behindPicture = flatOf([tokens(1, 2), wide]);
  const whole = { flat: behindPicture, tokenCount: 8, hasOutput: false };
  assert.equal(usableTokenCount(whole, behindPicture, true), 2, 'a picture is computed whole');
});
