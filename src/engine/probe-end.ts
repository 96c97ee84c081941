/** What the end of a probe's child means. */
import {
  EngineError,
  type EtaError,
  EvaluatorError,
  FileError,
  ImageError,
  ModelError,
  UsageError,
} from '../errors.js';
import { parsedJson } from '../json.js';
import { linesOf } from '../lines.js';
import { answerSchema, type ProbeAnswer, type ProbeOrder } from './probe-order.js';

/** How the child ended. */
export interface ProbeEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was ended because it took too long. */
  readonly isLate: boolean;
  readonly limitMs: number;
}

/** Characters shown of llama.cpp's last line. */
const SHOWN = 200;

type Named = NonNullable<ProbeAnswer['error']>;
const CLASSES: Readonly<Record<Named['name'], new (code: never, message: string) => EtaError>> = {
  UsageError,
  FileError,
  ImageError,
  ModelError,
  EngineError,
  EvaluatorError,
};

/** The error of a load that did not go well, or null. */
export function refusalOf(end: ProbeEnd, { modelPath, projectorPath }: ProbeOrder['load']): EtaError | null {
  const answer = answerIn(end.stdout);
  if (answer?.error) return new CLASSES[answer.error.name](answer.error.code as never, answer.error.message);
  if (answer !== null && end.code === 0) return null;
  const files = projectorPath === undefined ? modelPath : `${modelPath} with the projector ${projectorPath}`;
  return new ModelError(
    'ERR_MODEL_INVALID',
    `Expected ${files} to load, tried in a process of its own, but ${endText(end)}. ${remedy(end)}`,
  );
}

/** Among whatever else was written to stdout: NODE_OPTIONS may load anything. */
function answerIn(stdout: string): ProbeAnswer | null {
  for (const line of [...linesOf(stdout)].reverse()) {
    const answer = answerSchema.safeParse(parsedJson(line));
    if (answer.success) return answer.data;
  }
  return null;
}

function endText({ code, signal, stderr, isLate, limitMs }: ProbeEnd): string {
  if (isLate) return `that process did not come to an end within ${Math.ceil(limitMs / 1000)} s`;
  const how = signal === null ? `exit code ${code}` : signal;
  const last = lastLine(stderr);
  return `it ended that process with ${how}${last === '' ? '' : ` (${last})`}`;
}

function remedy({ signal, isLate }: ProbeEnd): string {
  if (isLate) return 'Fetch it again, or name another device; a disk this slow needs a load without probe.';
  if (signal === 'SIGKILL' || signal === 'SIGTERM')
    return 'Somebody ended it from outside: often the system, where memory runs out. Free some, or take a smaller model.';
  return 'A file is damaged, or made for another llama.cpp: fetch or convert it again.';
}

/** Printable, short enough for a message, and of a source file its name alone: it lay on the machine that compiled it. */
function lastLine(stderr: string): string {
  const lines = [...linesOf(stderr)].map((line) => line.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim());
  const last = (lines.filter((line) => line !== '').at(-1) ?? '').replace(/^.*[\\/](?=[\w.-]+:\d+: )/, '');
  return last.length > SHOWN ? `${last.slice(0, SHOWN - 3)}...` : last;
}
