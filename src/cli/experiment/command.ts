/** The options of `eta-vlm experiment`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CONCURRENCY } from '../../batch/defaults.js';
import { SEEDS } from '../../benchmark/defaults.js';
import { CANDIDATE_COUNTS, ENDURANCE_REQUESTS, QUERY_COUNT } from '../../experiment/defaults.js';
import { EXPERIMENT_LINES, EXPERIMENT_NAMES } from '../../experiment/names.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { collected, filled, wholeNumber, wholeNumbers } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { addJudgeOptions } from '../judge-options.js';
import { addModelOptions } from '../model-options.js';
import { addDecisionOptions } from '../policy-options.js';

const AFTER_HELP = `
Experiments:
${EXPERIMENT_NAMES.map((name) => `  ${name.padEnd(14)}${EXPERIMENT_LINES[name]}\n`).join('')}
Each ends in one table on stdout and a report in --out. A run that was stopped
goes on with the same command.

Examples:
  eta-vlm experiment ablation --out ablation
  eta-vlm experiment robustness --change noise,blur,search --out robustness
  eta-vlm experiment ablation --benchmark figstep --root FigStep --judge local --judge-model MD-Judge.gguf --out figstep-ablation`;

export function addExperiment(program: Command): void {
  const command = child(program, 'experiment', 'Run a named experiment: one table, one report.')
    .addOption(new Option('--benchmark <benchmark>', 'the set that is asked (default: miniature)').argParser(filled))
    .option('--root <folder>', 'the folder of the set, as distributed (default: what ships)', filled)
    .option('--variant <name>', 'a way of asking, such as suffix', filled)
    .option('--out <folder>', 'where answers, judgements and the report go', filled)
    .option('--seeds <list>', `of the methods that draw (default: ${SEEDS.join(',')})`, wholeNumbers(0, 0xffffffff))
    .option('--limit <count>', 'questions of each category at most', wholeNumber(1))
    .option(
      '--concurrency <count>',
      `requests at once (default: ${CONCURRENCY}; those that take times: always 1)`,
      wholeNumber(1, 255),
    )
    .option('--json', 'print one JSON object instead of the table')
    .optionsGroup('Overhead:')
    .option('--counts <list>', `values of N (default: ${CANDIDATE_COUNTS.join(',')})`, countList)
    .option('--other-model <gguf,mmproj>', 'another language model to time; may be given several times', collected)
    .optionsGroup('Endurance:')
    .option('--requests <count>', `requests in all, at least (default: ${ENDURANCE_REQUESTS})`, wholeNumber(2))
    .optionsGroup('Robustness:')
    .option('--change <changes>', 'noise, blur, ..., hurry, search, wrapped (default: all)', nameList)
    .option('--attacks <folder>', 'pictures that were changed elsewhere, with attacks.json', filled)
    .option(
      '--queries <count>',
      `CLIP scores that the search may ask for, each picture (default: ${QUERY_COUNT})`,
      wholeNumber(1),
    )
    .optionsGroup('Judge:');
  addJudgeOptions(command).optionsGroup('Safety and search:');
  addDecisionOptions(command, "the set's, or 1024").optionsGroup('Models:');
  addTextAfter(addModelOptions(command), AFTER_HELP)
    .argument('[experiment]', `which: ${EXPERIMENT_NAMES.join(', ')}`)
    .action(async (name: string | undefined, options: import('./experiment.js').ExperimentFlags) => {
      await withInterrupt(async (signal) => {
        const { experiment } = await import('./experiment.js');
        process.exitCode = await experiment(name, options, signal);
      });
    });
}

function countList(text: string): readonly number[] {
  return wholeNumbers(1, 64)(text).toSorted((a, b) => a - b);
}

function nameList(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length > 0) return [...new Set(names)];
  throw new InvalidArgumentError('Expected names, such as noise,blur.');
}
