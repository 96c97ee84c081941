/** What the hub of the tests holds. */
import { createHash } from 'node:crypto';
import type { TestRepo } from './server.js';

/** Bytes that no other seed gives, the same every time. */
export function bytesOf(seed: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let count = 0; count * 32 < length; count++)
    blocks.push(createHash('sha256').update(`${seed} ${count}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** A large file, a small one in a folder, and more than fit on a page of the list. */
export const SMALL: TestRepo = {
  files: {
    'model.bin': bytesOf('model', 200_000),
    'onnx/config.json': Buffer.from('{"a":1}\n'),
    'one.txt': Buffer.from('one'),
    'two.bin': bytesOf('two', 3000),
    'empty.txt': Buffer.alloc(0),
  },
  licence: 'mit',
};
