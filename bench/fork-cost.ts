/**
 * What a fork costs against doing the prompt again, and whether it grows with the prompt.
 *
 *     node --import tsx bench/fork-cost.ts [--model FILE|smallest|160m|1.1b|7b] [--weights q8_0] [--threads N] [--forks 5]
 */
import { benchModel, benchOptions, configuration, median, tokenRow } from './engine-model.js';

const LIMIT_MS = 0.1;
const REPEATS = 50;
const options = benchOptions({ forks: 5 });

await using model = await benchModel(options);
await using context = await model.createContext({ contextSize: 4096, sequenceCount: 1 + options.forks });
console.log(configuration(model, context));
console.log(`${options.forks} forks a call, round trip included; ${REPEATS} calls`);

let limitHolds = true;
for (const length of [64, 512, 3000]) {
  await using lease = await context.reserve({ cellCount: 4000, sequenceCount: 1 + options.forks });
  const parent = await lease.createSequence();
  let startedAt = performance.now();
  await parent.prefill([tokenRow(model, length)]);
  const prefillMs = performance.now() - startedAt;
  const times: number[] = [];
  let copied = 0;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    startedAt = performance.now();
    const children = await parent.fork(options.forks);
    times.push((performance.now() - startedAt) / options.forks);
    copied = Math.max(copied, (await context.statistics()).usedCellCount - length);
    await Promise.all(children.map((child) => child.release()));
  }
  const forkMs = median(times);
  limitHolds &&= forkMs < LIMIT_MS;
  console.log(
    `${String(length).padStart(5)} tokens   prefill ${prefillMs.toFixed(1).padStart(8)} ms   ` +
      `fork median ${forkMs.toFixed(4)} ms, least ${Math.min(...times).toFixed(4)} ms   ` +
      `prefill : fork = ${(prefillMs / forkMs).toFixed(0)} : 1   cells copied ${copied}`,
  );
}
console.log(`limit ${LIMIT_MS} ms a fork: ${limitHolds ? 'holds' : 'does not hold'}`);
process.exitCode = limitHolds ? 0 : 1;
