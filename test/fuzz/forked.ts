/** Cases in a process of their own, which one of them may end or hold up: that is a fault, and the next ones go on in another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FuzzResult } from './fuzz.js';
import { Tally } from './tally.js';

const HANG_MS = 30_000;
const LOADER = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;

/** Between this process and the one that tries. */
export interface ForkedTask<Task> {
  readonly task: Task;
  readonly seeds: readonly number[];
}
export type ForkedReport = { readonly begun: number } | { readonly ended: number; readonly outcome: string };

export interface ForkedOptions<Task> {
  /** A program that calls `answerSeeds`. */
  readonly child: URL;
  readonly task: Task;
  readonly seeds: readonly number[];
  /** What the process may write to, in KiB (RLIMIT_DATA of Linux); beyond it an allocation fails. @default no limit */
  readonly memoryKiB?: number;
  readonly onProgress?: ((done: number) => void) | undefined;
}

export async function tryForked<Task>(options: ForkedOptions<Task>): Promise<FuzzResult> {
  const tally = new Tally();
  let done = 0;
  const onEnd = (seed: number, outcome: string) => {
    tally.add(seed, outcome);
    options.onProgress?.(++done);
  };
  for (let left = [...options.seeds]; left.length > 0; ) {
    const end = await oneProcess({ ...options, seeds: left }, onEnd);
    if (end === null) break;
    if (!end.isAfter) onEnd(end.seed, end.name);
    tally.fault(end.seed, end.how);
    left = left.slice(left.indexOf(end.seed) + 1);
  }
  return tally.result(options.seeds.length);
}

interface End {
  /** At which the process ended, or stood still. */
  readonly seed: number;
  /** The case itself had come to an end. */
  readonly isAfter: boolean;
  readonly name: string;
  readonly how: string;
}

/** @returns null where all came to an end, and the process too */
async function oneProcess<Task>(
  { child, task, seeds, memoryKiB }: ForkedOptions<Task>,
  onEnd: (seed: number, outcome: string) => void,
): Promise<End | null> {
  const forked = begin(fileURLToPath(child), memoryKiB);
  let seed: number | null = null;
  let isAfter = false;
  let isHung = false;
  let timer: NodeJS.Timeout | undefined;
  forked.on('message', (message: ForkedReport) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isHung = true;
      forked.kill('SIGKILL');
    }, HANG_MS);
    isAfter = 'ended' in message;
    seed = 'ended' in message ? message.ended : message.begun;
    if ('ended' in message) onEnd(message.ended, message.outcome);
  });
  let words = '';
  forked.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-600);
  });
  forked.send({ task, seeds } satisfies ForkedTask<Task>);
  const { code, signal } = await ended(forked);
  clearTimeout(timer);
  if (seed === null) throw new Error(`Expected a process that tries ${child.pathname}, received its end: ${words}`);
  if (isAfter && code === 0) return null;
  const last = words.trim().split('\n').at(-1) ?? '';
  const name = isHung ? 'hangs' : (signal ?? `exit ${code}`);
  return { seed, isAfter, name, how: `${name}${isAfter ? ' after it,' : ''} ${last}`.trimEnd().replace(/,$/, '') };
}

function begin(program: string, memoryKiB: number | undefined): ChildProcess {
  const words = ['--import', LOADER, program];
  const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
  if (memoryKiB === undefined || process.platform !== 'linux')
    return spawn(process.execPath, words, { stdio: [...stdio] });
  return spawn('sh', ['-c', `ulimit -d ${memoryKiB}; exec "$0" "$@"`, process.execPath, ...words], {
    stdio: [...stdio],
  });
}

function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
}
