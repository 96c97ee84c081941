/** What planted/device.c is told, and tells: the numbers of its struct, in a file that both have mapped or open. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const FIELDS = [
  'submitsUntilLost',
  'memoryBytes',
  'submitCount',
  'allocatedBytes',
  'mostAllocatedBytes',
  'refusedCount',
  'deviceCount',
  'isLost',
  'openingMs',
  'lacks16Bit',
] as const;
type Field = (typeof FIELDS)[number];

function at<Result>(use: (file: number) => Result): Result {
  const path = process.env['ETA_VLM_PLANTED_DEVICE'];
  if (path === undefined) throw new TypeError('Expected ETA_VLM_PLANTED_DEVICE. Run npm run test:vulkan.');
  const file = openSync(path, 'r+');
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** The device has this much memory; 0 = as much as the driver gives. */
export const plantMemory = (bytes: number) => plant('memoryBytes', bytes);
/** It is lost with this submit from now on; 0 = never. */
export const plantLoss = (submits: number) => plant('submitsUntilLost', submits);
/** Opening a device takes so much longer; below 0 it fails. */
export const plantOpening = (ms: number) => plant('openingMs', ms);

/** The device has no buffers of 16-bit numbers, which ggml-vulkan asks for when it opens one. */
export const plantNo16Bit = () => plant('lacks16Bit', 1);

function plant(field: Field, value: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(Math.round(value)));
  at((file) => writeSync(file, bytes, 0, 8, 8 * FIELDS.indexOf(field)));
}

export function planted(): Readonly<Record<Field, number>> {
  const bytes = Buffer.alloc(8 * FIELDS.length);
  at((file) => readSync(file, bytes, 0, bytes.length, 0));
  return Object.fromEntries(FIELDS.map((field, index) => [field, Number(bytes.readBigInt64LE(8 * index))])) as Record<
    Field,
    number
  >;
}
