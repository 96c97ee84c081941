/**
 * The number of threads that is measured while it runs comes near the best that somebody could have chosen, on machines
 * that are made up: on a real one the answer would be another each time.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Time against the best fixed number, by machine and steps. */
async function simulate(): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-thread-count-'));
  try {
    const program = join(folder, 'thread-count');
    const source = join(ROOT, 'test', 'native', 'thread-count.cpp');
    execFileSync(process.env['CXX'] ?? 'c++', [
      '-std=c++17',
      '-O1',
      `-I${join(ROOT, 'native')}`,
      source,
      '-o',
      program,
    ]);
    const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
    return new Map(
      lines.map((line) => {
        const [name, steps, ratio] = line.split('\t');
        return [`${name}, ${steps} steps`, Number(ratio)];
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** By steps: at first there is something to learn, the more the further the best number is from all of them. */
const MOST: Readonly<Record<string, readonly [number, number, number]>> = {
  'a large model on two cores': [1.1, 1.1, 1.05],
  'a small model on two cores': [1.1, 1.1, 1.05],
  'beside a busy core of two': [1.1, 1.1, 1.05],
  'a large model on eight cores': [1.1, 1.1, 1.05],
  'beside a busy core of eight': [1.1, 1.1, 1.05],
  'a small model on eight cores': [2.5, 1.3, 1.1],
  'a small model on sixty-four cores': [6, 2, 1.15],
  // Faster than any number that stays.
  'a neighbour that comes and goes': [1.1, 0.95, 0.95],
};

test('near the best number, soon where few are to be tried, and always in the long run', async () => {
  const ratios = await simulate();
  for (const [name, most] of Object.entries(MOST)) {
    for (const [index, steps] of [50, 300, 3000].entries()) {
      const ratio = ratios.get(`${name}, ${steps} steps`) ?? Number.NaN;
      assert.ok(ratio < (most[index] ?? 0), `${name}, ${steps} steps: ${ratio}`);
    }
  }
});
