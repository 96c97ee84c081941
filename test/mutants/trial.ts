/** One fault against the tests that come to its place: the likeliest and the quickest first, until one sees it. */
import { basename } from 'node:path';
import { type Fault, planted } from './fault.js';
import { runTest } from './test-file.js';
import type { Tree } from './tree.js';

export interface Timed {
  /** Below the root. */
  readonly test: string;
  /** What it takes without a fault. */
  readonly ms: number;
}

export type Outcome =
  | { readonly is: 'seen'; readonly test: string; readonly how: 'red' | 'overdue' }
  | { readonly is: 'unseen'; readonly tests: readonly string[] }
  /** The compiler does not take it. */
  | { readonly is: 'refused' };

/** Shortest time that a test is given. */
const LEAST_MS = 30_000;

/** A file's own test is asked before others that take this much less time. */
const OWN_FIRST = 10;

/** @param build makes what the tests run of the changed source; false where the compiler refuses it */
export async function tryFault(
  tree: Tree,
  fault: Fault,
  tests: readonly Timed[],
  build?: (tree: Tree) => Promise<boolean>,
): Promise<Outcome> {
  tree.write(fault.file, planted(tree.text(fault.file), fault));
  try {
    if (build !== undefined && !(await build(tree))) return { is: 'refused' };
    const wait = ({ test, ms }: Timed) => (isOwn(test, fault.file) ? ms / OWN_FIRST : ms);
    for (const { test, ms } of [...tests].sort((a, b) => wait(a) - wait(b))) {
      const limitMs = Math.max(LEAST_MS, ms * 4);
      const how = await redness(tree.root, test, limitMs);
      if (how === null) continue;
      // On a machine under load a test may be red for a while, whatever is planted.
      const isSeen = build !== undefined || (await isGreenWithout(tree, fault, test, limitMs));
      if (isSeen) return { is: 'seen', test, how };
    }
    return { is: 'unseen', tests: tests.map(({ test }) => test) };
  } finally {
    tree.restore(fault.file);
  }
}

/** Whether the test has the name of the source, or the first words of it. */
function isOwn(test: string, file: string): boolean {
  const name = basename(file).replace(/\.[^.]+$/, '');
  return `${name}-`.startsWith(`${basename(test, '.test.ts')}-`);
}

/** The control of what a test has seen; the fault stays planted. What is built anew for it takes longer than it is worth. */
async function isGreenWithout(tree: Tree, fault: Fault, test: string, limitMs: number): Promise<boolean> {
  tree.restore(fault.file);
  const { isGreen } = await runTest(tree.root, test, { limitMs });
  tree.write(fault.file, planted(tree.text(fault.file), fault));
  return isGreen;
}

/** Red twice, so that a test which fails now and then has not seen it. */
async function redness(root: string, test: string, limitMs: number): Promise<'red' | 'overdue' | null> {
  for (let time = 0; time < 2; time++) {
    const { isGreen, isOverdue } = await runTest(root, test, { limitMs });
    if (isGreen) return null;
    if (isOverdue) return 'overdue';
  }
  return 'red';
}
