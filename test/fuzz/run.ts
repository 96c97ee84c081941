/**
 * `npm run fuzz [-- NAME ...] [--count N] [--seed S]`: inputs that nobody should give, by the seed; none ends the process,
 * holds it up, or comes back as an error that is none of ours. Without a count each runs its long form.
 *
 * Exit status: 1 where something was found; `npm run fuzz -- NAME --count 1 --seed S` does it again.
 */
import type { Fuzz, FuzzResult } from './fuzz.js';
import { FUZZERS } from './fuzzers.js';
import { exitStatus, Misuse, readArguments, wholeNumber } from './misuse.js';

const STEPS_TOLD = 20;

function chosen(names: readonly string[]): readonly Fuzz[] {
  const unknown = names.find((name) => FUZZERS.every((fuzz) => fuzz.name !== name));
  if (unknown === undefined) return FUZZERS.filter(({ name }) => names.length === 0 || names.includes(name));
  throw new Misuse(`Expected ${FUZZERS.map(({ name }) => name).join(', ')}, received '${unknown}'.`);
}

function rowsOf(name: string, { count, outcomes, faults }: FuzzResult): string[] {
  const told = Object.entries(outcomes)
    .sort(([, one], [, other]) => other - one)
    .map(([outcome, times]) => `${outcome} ${times}`);
  const row = `| ${name} | ${count} | ${told.join(', ')} | ${faults.length} |`;
  return [row, ...faults.map((fault) => `  ${name}, ${fault}`)];
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: { count: { type: 'string' }, seed: { type: 'string', default: '0' } },
  });
  const seed = wholeNumber('--seed', values.seed, 0);
  const asked = values.count === undefined ? undefined : wholeNumber('--count', values.count, 1);
  const rows = ['| name | count | outcomes | faults |', '| --- | --- | --- | --- |'];
  let faultCount = 0;
  for (const fuzz of chosen(positionals)) {
    const count = asked ?? fuzz.count;
    const step = Math.ceil(count / STEPS_TOLD);
    const onProgress = (done: number) => {
      if (done % step === 0) process.stderr.write(`${fuzz.name}: ${done} of ${count}\n`);
    };
    const result = await fuzz.run({ count, seed, onProgress });
    faultCount += result.faults.length;
    rows.push(...rowsOf(fuzz.name, result));
  }
  console.log(rows.join('\n'));
  return faultCount === 0 ? 0 : 1;
}

process.exitCode = await exitStatus(main);
