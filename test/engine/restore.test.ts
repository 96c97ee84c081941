/** Saved bytes that somebody changed and sealed again: the checksum is right, the counts are not. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Context, Lease, Model, Sequence } from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import { EXACT, picture, started, tinyModel } from './fixture.js';

const HEADER_BYTES = 48;
const AT = { checksum: 16, cellCount: 24, position: 28, imageCount: 32, logitCount: 36, stateSize: 40 } as const;
const IMAGE_BYTES = 12; // first cell, cells, positions

type Change = (bytes: Buffer) => Buffer;

let model: Model;
let context: Context;
let lease: Lease;
let sequence: Sequence;
let saved: Uint8Array;

before(async () => {
  model = await tinyModel();
});

// A context for each test: one that fails leaves its lease to nobody.
beforeEach(async () => {
  context = await model.createContext(EXACT);
  const parts = [await model.tokenize('The red apple'), await picture(model), await model.tokenize(' is on the left.')];
  ({ lease, sequence } = await started(context, parts, { cellCount: 512, sequenceCount: 4 }));
  saved = await sequence.save();
});

afterEach(() => context.dispose());

after(async () => {
  await model.dispose();
});

/** The checksum of native/engine/saved_sequence.cpp. */
function hash(start: bigint, bytes: Buffer): bigint {
  let value = start;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    value = BigInt.asUintN(64, (value ^ bytes.readBigUInt64LE(at)) * 0x100000001b3n);
    value ^= value >> 29n;
  }
  for (; at < bytes.length; at++) value = BigInt.asUintN(64, (value ^ BigInt(bytes.readUInt8(at))) * 0x100000001b3n);
  return value;
}

function forged(change: Change): Buffer {
  const bytes = change(Buffer.from(saved));
  const head = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  head.writeBigUInt64LE(0n, AT.checksum);
  bytes.writeBigUInt64LE(hash(hash(0xcbf29ce484222325n, head), bytes.subarray(HEADER_BYTES)), AT.checksum);
  return bytes;
}

/** One count of the header, changed. */
function counted(at: number, change: (count: number) => number): Change {
  return (bytes) => {
    bytes.writeInt32LE(change(bytes.readInt32LE(at)), at);
    return bytes;
  };
}

/** One number of the only picture's span, changed. */
function spanned(index: number, change: (count: number) => number): Change {
  return counted(HEADER_BYTES + 4 * index, change);
}

test('the same bytes sealed again are taken: the seal below is the right one', async () => {
  const restored = await lease.restore(forged((bytes) => bytes));
  assert.equal(restored.tokenCount, sequence.tokenCount);
  assert.deepEqual(await restored.logits(), await sequence.logits());
  await restored.release();
});

const FORGERIES: Record<string, Change> = {
  'fewer logits than the vocabulary': (bytes) => {
    const start = HEADER_BYTES + IMAGE_BYTES;
    const end = start + 4 * bytes.readInt32LE(AT.logitCount);
    bytes.writeInt32LE(1, AT.logitCount);
    return Buffer.concat([bytes.subarray(0, start + 4), bytes.subarray(end)]);
  },
  'a negative cell count': counted(AT.cellCount, () => -5),
  'more cells': counted(AT.cellCount, (count) => count + 3),
  'fewer cells': counted(AT.cellCount, (count) => count - 3),
  'a far position': counted(AT.position, () => 1_000_000),
  'a negative image count that the state makes up for': (bytes) => {
    bytes.writeInt32LE(-1, AT.imageCount);
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(AT.stateSize) + BigInt(2 * IMAGE_BYTES), AT.stateSize);
    return bytes;
  },
  'a state size beyond the bytes': (bytes) => {
    bytes.writeBigUInt64LE(2n ** 64n - 1n, AT.stateSize);
    return bytes;
  },
  'a picture before the first cell': spanned(0, () => -1),
  'a picture behind the last cell': spanned(0, () => 1000),
  'a picture without cells': (bytes) => spanned(2, () => 0)(spanned(1, () => 0)(bytes)),
};

for (const [name, change] of Object.entries(FORGERIES)) {
  test(`${name}: refused, and nothing is left behind`, async () => {
    await assert.rejects(
      lease.restore(forged(change)),
      (error) =>
        error instanceof EtaError &&
        error.code === 'ERR_INVALID_REQUEST' &&
        /add up|fit each other/.test(error.message),
    );
    const { liveSequenceCount, usedCellCount } = await context.statistics();
    assert.deepEqual(
      { liveSequenceCount, usedCellCount },
      { liveSequenceCount: 1, usedCellCount: sequence.tokenCount },
    );
  });
}
