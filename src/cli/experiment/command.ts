/** The options of `eta-vlm experiment`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { POLICIES, PRESETS } from '../../policy/policy.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { collected, filled, positiveNumber, wholeNumber } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { addModelOptions } from '../model-options.js';

const defaults = POLICIES.miniature;

/** Names, as the command line knows them. */
export const EXPERIMENTS = [
  'baseline',
  'pre',
  'post',
  'shallow',
  'deep',
  'ablation',
  'overhead',
  'robustness',
] as const;
export type ExperimentName = (typeof EXPERIMENTS)[number];

const AFTER_HELP = `
Experiments:
  baseline    the unsafe rate of the model alone
  pre         pre-generation evaluation alone: CLIP decides whether to align
  post        post-generation evaluation alone: the reward model decides
  shallow     shallow alignment alone: the interference prefix, no search
  deep        deep alignment alone: the search, no prefix
  ablation    the paper's table 5: none, deep, shallow, without CLIP utility, all
  overhead    time of an answer against N, on each path of ETA
  robustness  pictures changed to slip past the gate, and what is left

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
    .option('--seeds <list>', 'of the methods that draw (default: 1)', seedList)
    .option('--limit <count>', 'questions of each category at most', wholeNumber(1))
    .option('--concurrency <count>', 'requests at once (default: 8; overhead: always 1)', wholeNumber(1, 255))
    .option('--json', 'print one JSON object instead of the table')
    .optionsGroup('Overhead:')
    .option('--counts <list>', 'values of N (default: 1,2,3,5,8)', countList)
    .option('--other-model <gguf,mmproj>', 'another language model to time; may be given several times', collected)
    .optionsGroup('Robustness:')
    .option('--change <changes>', 'noise, blur, crop, ..., search (default: all)', nameList)
    .option('--queries <count>', 'CLIP scores that the search may ask for, each picture (default: 200)', wholeNumber(1))
    .optionsGroup('Judge:')
    .addOption(
      new Option('--judge <judge>', 'keyword; local: a GGUF such as MD-Judge; endpoint').choices([
        'keyword',
        'local',
        'endpoint',
      ]),
    )
    .option('--judge-model <model>', "the judge's GGUF, or its name at the endpoint", filled)
    .option('--judge-url <url>', 'of an OpenAI-compatible endpoint; the key is read from ETA_VLM_JUDGE_KEY', filled)
    .optionsGroup('Safety and search:')
    .addOption(new Option('--preset <preset>', "miniature: our policy; paper: the paper's").choices([...PRESETS]))
    .option('--n <count>', `candidates of each round (default: ${defaults.candidateCount})`, wholeNumber(1, 255))
    .option('--temperature <number>', `of the candidates (default: ${defaults.temperature})`, positiveNumber)
    .option('--top-k <count>', `tokens to draw each token from, 0: all (default: ${defaults.topK})`, wholeNumber(0))
    .option('--max-tokens <count>', "tokens of an answer at most (default: the set's, or the policy's)", wholeNumber(1))
    .optionsGroup('Models:');
  addTextAfter(addModelOptions(command), AFTER_HELP)
    .argument('[experiment]', `which: ${EXPERIMENTS.join(', ')}`)
    .action(async (name: string | undefined, options: import('./experiment.js').ExperimentFlags) => {
      await withInterrupt(async (signal) => {
        const { experiment } = await import('./experiment.js');
        process.exitCode = await experiment(name, options, signal);
      });
    });
}

/** "1,2,3", each once. */
function seedList(text: string): readonly number[] {
  return [...new Set(text.split(',').map((seed) => wholeNumber(0, 0xffffffff)(seed.trim())))];
}

function countList(text: string): readonly number[] {
  return [...new Set(text.split(',').map((count) => wholeNumber(1, 64)(count.trim())))].sort((a, b) => a - b);
}

function nameList(text: string): readonly string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length > 0) return [...new Set(names)];
  throw new InvalidArgumentError('Expected names, such as noise,blur.');
}
