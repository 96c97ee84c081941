/**
 * Random requests that share prompts, pictures and turns, with evictions, aborts and disposals: each text against that of a
 * fresh context. With --bursts they begin at the same moment, about much the same.
 *
 *     npm run build && node --import tsx bench/prefix-storm.ts [--requests 5000] [--seed 1] [--bursts]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { prefixStorm } from '../test/engine/prefix-storm.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    bursts: { type: 'boolean', default: false },
  },
});
const startedAt = performance.now();
const { faults, ...counts } = await prefixStorm({
  requestCount: Number(values.requests),
  seed: Number(values.seed),
  inBursts: values.bursts,
});
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(`${values.requests} requests, seed ${values.seed}, ${seconds} s, load ${loadavg()[0]?.toFixed(1)}`);
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', '),
);
for (const fault of faults.slice(0, 20)) console.log(fault);
console.log(`${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
