/**
 * Engine operations at random while decodes fail, on models of every form of picture: see test/engine/failure-storm.ts for
 * what is checked. The addon is that for tests, built by this script. With --keep one context sees everything, as in a
 * process that runs for long.
 *
 *     npm run build && node --import tsx bench/storm.ts [--operations 20000] [--seed 1] [--failures 0.05] [--keep]
 */
import '../test/native/planted-addon.js'; // before anything loads the addon
import { parseArgs } from 'node:util';
import { FORMS, failureStorm } from '../test/engine/failure-storm.js';
import { planted } from '../test/native/planted-addon.js';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    failures: { type: 'string', default: '0.05' },
    keep: { type: 'boolean', default: false },
  },
});

const operations = Math.ceil(Number(values.operations) / FORMS.length);
let faultCount = 0;
for (const form of FORMS) {
  const startedAt = performance.now();
  const report = await failureStorm({
    planted,
    form,
    operations,
    seed: Number(values.seed),
    failureShare: Number(values.failures),
    disposes: !values.keep,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${form}: ${report.operations} operations of ${report.requests} requests in ${seconds} s`);
  const list = (table: Record<string, number>) =>
    Object.entries(table)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  console.log(`  asked: ${list(report.asked)}`);
  console.log(`  ended: ${list(report.ended)}`);
  console.log(`  decodes ${report.decodeCount}, of which failed ${report.failureCount}`);
  console.log(
    `  logits compared ${report.logitsCompared}, largest difference ${report.largestDifference.toExponential(1)}; ` +
      `all cells and sequences free at the end: ${report.faults.some((fault) => fault.startsWith('at the end')) ? 'NO' : 'yes'}`,
  );
  for (const fault of report.faults) console.log(`  FAULT ${fault}`);
  faultCount += report.faults.length;
}
console.log(faultCount === 0 ? 'nothing wrong' : `${faultCount} faults`);
process.exitCode = faultCount === 0 ? 0 : 1;
