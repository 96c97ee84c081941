/** Command lines with texts that their options do not take, of every command: each is refused in a line of ours, or taken. */
import { spawnSync } from 'node:child_process';
import { CommanderError } from 'commander';
import { withParts } from '../../src/cli/called.js';
import { createProgram } from '../../src/cli/program.js';
import { main } from '../cli/command.js';
import type { Fuzz } from './fuzz.js';
import { Random } from './random.js';
import { outcomeOf, RAW, Tally } from './tally.js';
import { tryWithin } from './within-process.js';

const HANG_MS = 20_000;
/** Command lines that are really run, as a process each, among so many that are only read. */
const ONE_IN = 50;
const TEXTS = [
  '',
  ' ',
  '-1',
  '0',
  '1e999',
  'NaN',
  '999999999999999999999',
  '\u001b[31m',
  '\u202e',
  '--',
  '-',
  '=',
  'x'.repeat(5000),
  '1/0',
  '{}',
  'a,b',
  '\ud800',
];

/** A command line: a command, and options of it with texts that they do not take. */
function words(random: Random): string[] {
  const command = random.of(withParts(createProgram()).filter((one) => one.parent !== null));
  const path: string[] = [];
  for (let one = command; one.parent !== null; one = one.parent) path.unshift(one.name());
  for (let left = 1 + random.below(4); left > 0; left--) {
    const flags = command.options.map(({ long }) => long ?? '--help').filter((flag) => flag !== '--help');
    path.push(
      random.below(8) === 0 || flags.length === 0
        ? random.of(TEXTS)
        : `${random.of(flags)}${random.below(2) === 0 ? '=' : ''}`,
    );
    if (random.below(2) === 0) path.push(random.of(TEXTS));
  }
  return path;
}

/** Reads a command line without carrying it out. */
async function readWords(line: readonly string[]): Promise<string> {
  const program = createProgram();
  for (const command of withParts(program))
    command.action(() => undefined).configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  try {
    await program.parseAsync([...line], { from: 'user' });
    return 'taken';
  } catch (error) {
    return error instanceof CommanderError ? error.code : outcomeOf(error);
  }
}

/** Really run, where it cannot begin any work: a refusal is a line with a code, and nothing that a terminal would obey. */
function ranWords(line: readonly string[]): string {
  const args = [
    main,
    'ask',
    '--language-model',
    'none.gguf',
    ...line.slice(1).map((word) => word.replaceAll('\0', '')),
  ];
  const { status, signal, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    timeout: HANG_MS,
    input: '',
  });
  if (signal !== null) return `${RAW}ended by ${signal}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.test(stderr))
    return `${RAW}${JSON.stringify(stderr.slice(0, 300))}`;
  if (status !== 0 && !/\(ERR_\w+\)\n$/.test(stderr)) return `${RAW}exit ${status}: ${stderr.slice(0, 300)}`;
  return `process: exit ${status}`;
}

export const commandLines: Fuzz = {
  name: 'command-lines',
  count: 1000,
  async run(options) {
    const tally = new Tally();
    await tryWithin(tally, options, (seed) => {
      const line = words(new Random(seed));
      return seed % ONE_IN === 0 ? ranWords(line) : readWords(line);
    });
    return tally.result(options.count);
  },
};
