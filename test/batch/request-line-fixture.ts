/** Lines of requests, read as if they stood in a file. */
import assert from 'node:assert/strict';
import { parseRequestLine } from '../../src/batch/request-line.js';

export const parse = (text: string | Buffer, number = 17) => {
  const bytes = Buffer.from(text);
  return parseRequestLine(
    { number, offset: 0, bytes, byteCount: bytes.length, endsInNewline: true },
    { folder: '/data/set' },
  );
};
export const request = (text: string) => {
  const line = parse(text);
  assert.ok('request' in line, `refused: ${JSON.stringify(line)}`);
  return line;
};
