/** Every test without a fault: whether it is green, how long it takes, and to which faults' places it comes. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fault } from './fault.js';
import { runTest } from './test-file.js';
import type { Tree } from './tree.js';
import { withWitnesses } from './witnesses.js';

export interface Baseline {
  readonly test: string;
  readonly isGreen: boolean;
  readonly ms: number;
  /** Numbers of the faults whose place it came to. */
  readonly reached: readonly number[];
}

/** @param faults by number */
export async function* baselines(
  tree: Tree,
  faults: readonly Fault[],
  tests: readonly string[],
  limitMs: number,
): AsyncGenerator<Baseline> {
  const log = join(dirname(tree.root), 'reached');
  const files = new Map<string, Map<number, Fault>>();
  for (const [number, fault] of faults.entries())
    files.set(fault.file, (files.get(fault.file) ?? new Map()).set(number, fault));
  for (const [file, ofFile] of files) tree.write(file, withWitnesses(tree.text(file), ofFile, log));
  try {
    for (const test of tests) {
      rmSync(log, { force: true });
      const { isGreen, ms } = await runTest(tree.root, test, { limitMs });
      yield { test, isGreen, ms, reached: numbersIn(log) };
    }
  } finally {
    for (const file of files.keys()) tree.restore(file);
  }
}

function numbersIn(log: string): number[] {
  let text = '';
  try {
    text = readFileSync(log, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return [...new Set(text.split('\n').filter(Boolean).map(Number))];
}
