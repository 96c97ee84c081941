/** Puts figures between the markers of a document: `<!-- begin NAME -->` and `<!-- end NAME -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '../../src/errors.js';

/** @throws UsageError when the document has no such markers */
export function fillMarkers(path: string, name: string, text: string): void {
  const document = readFileSync(path, 'utf8');
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from)
    throw new UsageError('ERR_INVALID_OPTION', `Expected ${begin} and ${end} in ${path}. Add the two lines.`);
  writeFileSync(path, `${document.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${document.slice(to)}`);
}
