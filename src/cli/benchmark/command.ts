/** The options of `eta-vlm benchmark`. */
import { type Command, InvalidArgumentError } from 'commander';
import { CONCURRENCY } from '../../batch/defaults.js';
import { COMPARED_METHODS, SEEDS } from '../../benchmark/defaults.js';
import { didYouMean } from '../../near-miss.js';
import { METHODS } from '../../policy/methods.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { filled, wholeNumber, wholeNumbers } from '../../terminal/option-values.js';
import type { Method } from '../../types/policy.js';
import { child } from '../child.js';
import { addJudgeOptions } from '../judge-options.js';
import { addModelOptions } from '../model-options.js';
import { addDecisionOptions } from '../policy-options.js';

const AFTER_HELP = `
Examples:
  eta-vlm benchmark --list
  eta-vlm benchmark miniature --out miniature-report
  eta-vlm benchmark figstep --root FigStep --method vanilla,eta --out report

A run that was stopped goes on with the same command.`;

export function addBenchmark(program: Command): void {
  const command = child(program, 'benchmark', 'Score methods on a safety benchmark, with a report.')
    .argument('[benchmark]', 'which; --list tells which there are')
    .option('--list', 'list the benchmarks with their files and licences')
    .option('--root <folder>', 'the folder of the set, as distributed', filled)
    .option('--variant <name>', 'a way of asking, such as suffix', filled)
    .option('--out <folder>', 'where answers, judgements and the report go', filled)
    .option('--method <methods>', `methods, the first is the base (default: ${COMPARED_METHODS.join(',')})`, methodList)
    .option('--seeds <list>', `of the methods that draw (default: ${SEEDS.join(',')})`, wholeNumbers(0, 0xffffffff))
    .option('--limit <count>', 'questions of each category at most', wholeNumber(1))
    .option('--concurrency <count>', `requests at once (default: ${CONCURRENCY})`, wholeNumber(1, 255))
    .option('--json', 'print one JSON object instead of the table')
    .optionsGroup('Judge:');
  addJudgeOptions(command).optionsGroup('Safety and search:');
  addDecisionOptions(command, "the set's, or 1024").optionsGroup('Models:');
  addTextAfter(addModelOptions(command), AFTER_HELP).action(
    async (name: string | undefined, options: import('./benchmark.js').BenchmarkFlags) => {
      await withInterrupt(async (signal) => {
        const { benchmark } = await import('./benchmark.js');
        process.exitCode = await benchmark(name, options, signal);
      });
    },
  );
}

/** "vanilla,eta", each once. */
function methodList(text: string): readonly Method[] {
  const names = text.split(',').map((name) => name.trim());
  const found = names.map((name) => {
    const method = METHODS.find((known) => known === name);
    if (method === undefined)
      throw new InvalidArgumentError(`Expected methods, received '${name}'. ${didYouMean(name, METHODS)}`);
    return method;
  });
  return [...new Set(found)];
}
