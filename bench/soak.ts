/**
 * A long life: thousands of requests through one Eta, several at once, with every method, pictures of every form and none;
 * streams left early, signals that fire at random times, wrong requests among them. Afterwards nothing may be held, no
 * listener may stay, nothing may have warned, a control set must be answered as before, and memory must have settled.
 *
 *     node --import tsx bench/soak.ts [--requests 2000] [--concurrency 6] [--seed 1]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadEta } from '../src/index.js';
import { soak } from './soak-run.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
  },
});
const [requestCount, concurrency, seed] = [values.requests, values.concurrency, values.seed].map(Number) as [
  number,
  number,
  number,
];
/** Bytes a request that memory may still grow by over the last half: what 2,000 requests would make 8 MiB of. */
const MOST_SLOPE = 4096;

await using eta = await loadEta({ models: 'miniature' });
const every = Math.ceil(requestCount / 10);
const figures = await soak(eta, {
  requestCount,
  concurrency,
  seed,
  onProgress: (done) => {
    if (done % every === 0) console.error(`${done} of ${requestCount}`);
  },
});
const { outcomes, stopReasons, requestMs, residentBytes, slopeBytes, faults, heldCount } = figures;
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
console.log(
  `${requestCount} requests, ${concurrency} at once, seed ${seed}, ${requestMs.toFixed(0)} ms each; ${process.platform}, ${availableParallelism()} cores, Node ${process.version}\n`,
);
for (const [name, count] of Object.entries(outcomes).sort(([, a], [, b]) => b - a)) {
  console.log(`${name.padEnd(36)}${String(count).padStart(6)}`);
}
console.log(
  `\nanswers ended by ${Object.entries(stopReasons)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')}`,
);
console.log(
  `resident, MiB: ${residentBytes
    .filter((_, at) => at % 4 === 3)
    .map(mebibytes)
    .join(' ')}`,
);
console.log(`slope of the last half: ${slopeBytes.toFixed(0)} bytes a request`);
console.log(`held afterwards: ${heldCount} cells and sequences`);
for (const fault of faults) console.log(`FAULT ${fault}`);
if (faults.length > 0 || heldCount > 0 || slopeBytes > MOST_SLOPE) process.exitCode = 1;
