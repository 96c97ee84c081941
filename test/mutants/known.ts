/** Faults planted by hand, which tests once did not see: each with the place that it has today. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Fault } from './fault.js';
import type { Tree } from './tree.js';

interface Known {
  readonly room: string;
  readonly file: string;
  /** Stands there once. */
  readonly before: string;
  readonly after: string;
  /** The test that sees it. */
  readonly test: string;
}

/** Faults, and the test that has to see each. */
export interface Handmade {
  readonly fault: Fault;
  readonly test: string;
}

export function knownFaults(tree: Pick<Tree, 'text'>, room: string): Handmade[] {
  const path = fileURLToPath(new URL('./known.json', import.meta.url));
  const known = JSON.parse(readFileSync(path, 'utf8')) as readonly Known[];
  return known
    .filter((one) => one.room === room)
    .map((one) => ({ fault: placed(tree.text(one.file), one), test: one.test }));
}

function placed(text: string, { file, before, after }: Known): Fault {
  const start = text.indexOf(before);
  if (start < 0 || text.indexOf(before, start + 1) >= 0)
    throw new Error(
      `known.json: expected "${before}" once in ${file}. The code has changed: find its place, or let it go.`,
    );
  return { file, kind: 'by hand', start, end: start + before.length, after };
}
