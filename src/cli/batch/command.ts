/** Options of `eta-vlm batch` and `eta-vlm batch merge`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { BATCH_SEED, CONCURRENCY } from '../../batch/defaults.js';
import { ANSWERS_FORMATS, REQUESTS_FORMATS } from '../../batch/formats.js';
import type { FieldMap } from '../../batch/index.js';
import { didYouMean } from '../../near-miss.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { among, filled, wholeNumber } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { addHubOptions, addModelOptions } from '../model-options.js';
import { addPolicyOptions } from '../policy-options.js';
import type { BatchOptions } from './batch.js';

const AFTER_HELP = `
A request is one JSON object a line: prompt with image or images, or a
conversation in turns or messages; an id where it is to have a name.
  {"prompt": "What?", "image": "a.jpg"}
A table has a row each, with columns of the same names, or --map.
Any of them may say otherwise: method, seed, maxTokens, candidateCount, ...

Killed at any instant, the same command with --resume goes on. Exit code 3:
some requests failed, and their lines tell why.`;

export function addBatch(program: Command): void {
  const command = child(program, 'batch', 'Answer many requests into a file, resumably.')
    .argument('<requests>', "JSON Lines, CSV, TSV, Parquet or Arrow, a data set's folder, or '-' for stdin", filled)
    .usage('[options] <requests>')
    .enablePositionalOptions() // or it would take the options of its subcommand for its own
    .option('--out <file>', 'where the answers go, one JSON object a line; needed', filled)
    .option('--resume', 'go on with the answers that are there; begin where there are none')
    .addOption(new Option('--overwrite', 'begin anew, in place of the answers that are there').conflicts('resume'))
    .addOption(
      new Option('--retry-errors', 'with --resume: ask again what failed')
        .implies({ resume: true })
        .conflicts('overwrite'),
    )
    .option('--wait', 'wait while another process writes the answers, in place of ending')
    .option('--concurrency <count>', `requests at once (default: ${CONCURRENCY})`, wholeNumber(1, 256))
    .option('--ordered', 'put the finished file into the order of the requests')
    .option('--shard <i/n>', "one of n parts of the requests, by their ids; or 'auto': as the scheduler says", shard)
    .option('--trace', 'keep every round, candidate and score')
    .option('--repeatable', 'the same file each time: --exact, without times and what else differs')
    .optionsGroup('Requests:')
    .option('--map <pairs>', 'which column stands for what: prompt=question,image=img', fieldMap)
    .option('--image-root <folder>', 'what paths of pictures start from (default: where the requests lie)', filled)
    .option('--split <name>', "which split of a data set's folder, where it holds several", filled)
    .addOption(
      among(new Option('--input-format <format>', 'how requests are written (default: by the name)'), REQUESTS_FORMATS),
    )
    .optionsGroup('Beside the answers, when all are there:')
    .addOption(outputFormat())
    .addOption(report())
    .optionsGroup('Safety and search:')
    .option(
      '--seed <seed>',
      `what the seeds of the requests are derived from (default: ${BATCH_SEED})`,
      wholeNumber(0, 0xffffffff),
    );
  addTextAfter(addModelOptions(addHubOptions(addPolicyOptions(command).optionsGroup('Models:'))), AFTER_HELP).action(
    async (requests: string, options: BatchOptions) => {
      await withInterrupt(async (signal) => {
        const { batch } = await import('./batch.js');
        process.exitCode = await batch(requests, options, signal);
      });
    },
  );
  addMerge(command);
}

function addMerge(batch: Command): void {
  child(batch, 'merge', 'Join the answers of several shards into one file.')
    .argument('<files...>', 'files of answers, made under the same settings')
    .requiredOption('--out <file>', 'where all answers go', filled)
    .option('--ordered', 'in the order of the requests')
    .option('--overwrite', 'in place of the answers that are there')
    .addOption(outputFormat())
    .addOption(report())
    .action(async (files: string[], options: import('./merge.js').MergeOptions) => {
      await withInterrupt(async (signal) => {
        const { batchMerge } = await import('./merge.js');
        process.exitCode = await batchMerge(files, options, signal);
      });
    });
}

const outputFormat = () =>
  new Option('--output-format <formats>', 'write them also as csv, parquet, openai, or several: csv,parquet').argParser(
    (text: string) => {
      const names = text.split(',').map((name) => name.trim());
      const unknown = names.find((name) => !(ANSWERS_FORMATS as readonly string[]).includes(name));
      if (unknown === undefined) return [...new Set(names)];
      throw new InvalidArgumentError(
        didYouMean(unknown, ANSWERS_FORMATS, `Allowed choices are ${ANSWERS_FORMATS.join(', ')}, with commas between.`),
      );
    },
  );

const report = () => new Option('--report <folder>', 'write a report of them into a folder').argParser(filled);

/** A field, its column, in double quotes where it holds a comma, and what ends the pair. */
const MAP_PAIR =
  /\s*(?<field>[^=\s,]+)\s*=\s*(?:"(?<quoted>(?:[^"]|"")+)"|(?<bare>[^\s,"](?:[^,]*[^\s,])?))\s*(?<end>,|$)/y;

/** "prompt=question,image=img"; may be given several times. */
function fieldMap(text: string, before: FieldMap = {}): FieldMap {
  const found: [field: string, column: string][] = [];
  for (let at = 0, end = ','; end === ','; at = MAP_PAIR.lastIndex) {
    MAP_PAIR.lastIndex = at;
    const pair = MAP_PAIR.exec(text)?.groups;
    if (pair === undefined) throw invalidMap();
    const { field = '', quoted, bare = '' } = pair;
    found.push([field, quoted?.replaceAll('""', '"') ?? bare]);
    end = pair['end'] ?? '';
  }
  const names = [...Object.keys(before), ...found.map(([field]) => field)];
  if (new Set(names).size !== names.length) throw invalidMap();
  return { ...before, ...Object.fromEntries(found) };
}

const invalidMap = () =>
  new InvalidArgumentError(
    `Expected field=column, each field once, such as prompt=question,image=img. A name with a comma stands in double quotes: 'prompt="a, b"'.`,
  );

/** The shard, or "auto", which is looked up when the command runs. */
function shard(text: string): BatchOptions['shard'] {
  if (text === 'auto') return text;
  const [, index = Number.NaN, count = Number.NaN] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.map(Number) ?? [];
  if (index >= 1 && index <= count) return { index, count };
  throw new InvalidArgumentError('Expected i/n, with i from 1 to n, such as 1/4, or auto.');
}
