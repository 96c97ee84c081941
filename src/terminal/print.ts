/** Data to stdout, to the last byte. Apart from output.ts, because the help of a command loads no more than it needs. */
import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { unwritable } from '../outputs/index.js';
import { forTerminal } from './paint.js';

/** Not a terminal, a pipe or a socket: Node writes to it at once, and takes a part that was written for the whole. */
const isFile = (() => {
  const found = fstatSync(1);
  return found.isFile() || (found.isCharacterDevice() && !isatty(1));
})();

/**
 * Tables, lines and JSON, to stdout and to the last byte.
 *
 * @throws FileError ERR_FILE_WRITE when stdout is a file that cannot be written; of a pipe, interrupt.ts hears
 */
export function print(text: string): void {
  printAsIs(forTerminal(text));
}

/** What a model said, to stdout: a program gets it as it is. @throws as {@link print} */
export function printAnswer(text: string): void {
  printAsIs(process.stdout.isTTY === true ? forTerminal(text) : text);
}

function printAsIs(text: string): void {
  if (!isFile) {
    process.stdout.write(text);
    return;
  }
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  } catch (cause) {
    throw unwritable('stdout', cause, 'The answer is not whole: make room, or send it elsewhere.');
  }
}
