/** A fault is told with a seed that does it again alone, and a case hangs on nothing else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { loadTiny } from '../eta/tiny.js';
import { fuzzBodies } from './bodies.js';
import type { FuzzOptions, FuzzResult } from './fuzz.js';
import { FUZZERS } from './fuzzers.js';
import { fuzzOptionValues } from './option-values.js';
import { fuzzRequestLines } from './request-lines.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny({ contextSize: 4096, sequenceCount: 24 });
});
after(() => eta.dispose());

type Method = 'respond' | 'evaluate' | 'stream';

/** As it is, but for one method that throws what is no error of ours. */
function broken(method: Method): Eta {
  return new Proxy(eta, {
    get(target, name) {
      if (name === method)
        return () => {
          throw new TypeError('planted');
        };
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

type InProcess = (eta: Eta, options: FuzzOptions) => Promise<FuzzResult>;
const PLANTED: Readonly<Record<string, readonly [fuzz: InProcess, method: Method, count: number]>> = {
  'option-values': [fuzzOptionValues, 'evaluate', 24],
  'request-lines': [fuzzRequestLines, 'respond', 200],
  bodies: [fuzzBodies, 'stream', 60],
};

for (const [name, [fuzz, method, count]] of Object.entries(PLANTED)) {
  test(`${name}: planted faults are found again by their seeds`, { timeout: 120_000 }, async () => {
    const sound = await fuzz(eta, { count, seed: 20_001 });
    assert.deepEqual(sound.faults, [], 'the control');
    const { faults } = await fuzz(broken(method), { count, seed: 20_001 });
    assert.ok(faults.length > 1, `${faults.length} faults`);
    for (const fault of faults.slice(0, 3)) {
      const seed = Number(/^seed (\d+): raw: /.exec(fault)?.[1]);
      const again = await fuzz(broken(method), { count: 1, seed });
      assert.deepEqual(again.faults.map(firstLine), [firstLine(fault)]);
    }
  });
}

for (const { name, run } of FUZZERS) {
  test(`${name}: cases alone come out as they do together`, { timeout: 240_000 }, async () => {
    const [count, seed] = [2, 20_019];
    const together = await run({ count, seed });
    const sums: Record<string, number> = {};
    for (let at = 0; at < count; at++) {
      const alone = await run({ count: 1, seed: seed + at });
      for (const [outcome, times] of Object.entries(alone.outcomes)) sums[outcome] = (sums[outcome] ?? 0) + times;
    }
    assert.deepEqual(sums, together.outcomes);
  });
}

const firstLine = (text: string) => text.split('\n')[0];
