/**
 * Every scenario that has a goal, one after another, each in a process of its own; one table of all rows at the end, on
 * stdout. Random models are made once, in a temporary folder or in the one that is named, and take some 4 GB of disk.
 *
 *     npm run build && npm run bench:peers:build && node --import tsx bench/peers/all.ts [--only NAME,…] [--busy]
 *         [--repeat N] [--threads N] [--folder DIR] [--small]
 *
 * --busy: beside one process that keeps a core busy. --small: random models of 160M where 1.1B is asked for, to see that
 * everything runs. Ends with 1 where a goal is missed, with 2 where a scenario failed, with 3 where the peers are not built.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepBusy } from '../busy.js';
import { load, machine, type Report, type Row } from './comparison.js';
import { peerVersion } from './programs.js';
import { temporaryFolder } from './settings.js';

const SCENARIOS = [
  'bench/peers/one-sequence.ts --model 160m --weights q8_0',
  'bench/peers/one-sequence.ts --model 1.1b --weights q4_0',
  'bench/peers/prefill.ts --model 160m --weights q8_0',
  'bench/peers/n-of-one.ts --model 160m --weights q8_0',
  'bench/peers/eight-parallel.ts --model 160m --weights q8_0',
  'bench/peers/picture-encoder.ts --model 160m',
  'bench/peers/second-question.ts --model 160m --weights q8_0',
  'bench/peers/next-turn.ts --model 160m --weights q8_0',
  'bench/peers/clean-picture.ts --model 1.1b --weights q4_0',
  'bench/peers/flagged-safe.ts --model 1.1b --weights q4_0',
  'bench/peers/flagged-safe.ts --model miniature',
  'bench/peers/aligned.ts --model 1.1b --weights q4_0',
  'bench/peers/aligned.ts --model miniature',
  'bench/peers/reward-search.ts --model miniature',
  'bench/peers/ask.ts --tokens 24',
  'bench/peers/step-overhead.ts --model 160m --weights q8_0',
  'bench/peers/batch-schedule.ts --requests 16',
  'bench/peers/batch-vanilla.ts --requests 32',
];
const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    busy: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    repeat: { type: 'string' },
    threads: { type: 'string' },
    folder: { type: 'string' },
  },
});

interface Ran {
  readonly command: string;
  /** Undefined where it failed. */
  readonly rows: readonly Row[] | undefined;
  readonly loads: string;
}

/** Runs one in a process of its own; what it prints goes to stderr. */
async function run(command: string, more: readonly string[]): Promise<Ran> {
  const [file = '', ...args] = command.split(' ');
  const before = load();
  const child = fork(join(root, file), [...args, ...more], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', process.stderr.fd, 'inherit', 'ipc'],
  });
  const end = () => child.kill();
  process.once('exit', end);
  let told: Report | undefined;
  child.on('message', (message) => {
    told = message as Report;
  });
  await once(child, 'close');
  process.off('exit', end);
  return { command, rows: told?.rows, loads: `${before} to ${load()}` };
}

function lines({ command, rows, loads }: Ran): string[] {
  const shown = `\`node --import tsx ${command}\``;
  if (rows === undefined) return [`| ${shown} | | failed | | | ${loads} | |`];
  return rows.map(({ what, goal, figure, isMet, detail }) => {
    const verdict = isMet === null ? '' : isMet ? 'yes' : '**no**';
    return `| ${what} | ${goal} | ${figure} | ${verdict} | ${detail} | ${loads} | ${shown} |`;
  });
}

// A signal ends what was started too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const wanted = values.only?.split(',');
const chosen = SCENARIOS.filter((line) => wanted === undefined || wanted.some((name) => line.includes(`/${name}.ts`)));
if (chosen.length === 0)
  throw new Error(`--only: expected names of files such as one-sequence, received ${values.only}`);
const version = peerVersion();
const folder = values.folder ?? temporaryFolder();
const begun = { machine: machine(), at: new Date().toISOString() };
const leave = await keepBusy(values.busy ? 1 : 0);
const ran: Ran[] = [];
try {
  for (const scenario of chosen) {
    const command = values.small ? scenario.replace('1.1b', '160m') : scenario;
    const repeat = values.repeat === undefined ? [] : ['--repeat', values.repeat];
    const threads = values.threads === undefined ? [] : ['--threads', values.threads];
    console.error(`— ${command}`);
    ran.push(await run(command, [...repeat, ...threads, '--folder', folder]));
  }
} finally {
  leave();
}
const end = load();
console.log(`llama.cpp ${version}; ${begun.machine} at the beginning, ${end} at the end; ${begun.at}`);
if (values.busy) console.log('Beside one busy process.');
console.log(
  '\n| | goal | figure | met | ours : theirs | load | command |\n| --- | --- | --- | --- | --- | --- | --- |',
);
for (const line of ran.flatMap(lines)) console.log(line);
if (ran.some(({ rows }) => rows === undefined)) process.exitCode = 2;
else if (ran.some(({ rows = [] }) => rows.some(({ isMet }) => isMet === false))) process.exitCode = 1;
