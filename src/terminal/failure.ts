/** What went wrong, as one line on stderr (a terminal breaks it to its width, a list keeps its own) and an exit code. */
import { CommanderError } from 'commander';
import { AbortError, EtaError, UsageError } from '../errors.js';
import { visible } from '../visible.js';
import { lackOf } from './lack.js';
import { inFlags } from './option-flags.js';
import { tell, write } from './output.js';

/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  someFailed: 3,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** How commander's own refusals are called in our lines. */
const COMMANDER_CODES: Readonly<Record<string, string>> = {
  'commander.unknownOption': 'ERR_UNKNOWN_OPTION',
  'commander.unknownCommand': 'ERR_UNKNOWN_COMMAND',
  'commander.invalidArgument': 'ERR_INVALID_OPTION',
  'commander.optionMissingArgument': 'ERR_INVALID_OPTION',
  'commander.missingMandatoryOptionValue': 'ERR_INVALID_OPTION',
  'commander.conflictingOption': 'ERR_INVALID_OPTION',
};

/** The command that failed, or the program where none was named. */
export interface CalledCommand {
  /** Such as "eta-vlm batch merge". */
  readonly name: string;
  /** Long flags, such as "--out". */
  readonly flags: ReadonlySet<string>;
  /** Paths and texts that stood behind it, as they may come back in a message. */
  readonly said: readonly string[];
  /** What to do where more was written than it takes; "" where nobody knows. */
  readonly excessAdvice: string;
}

/** A command that was stopped from outside: nothing is wrong, nothing more is said than why. */
export class StoppedError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'StoppedError';
    this.exitCode = exitCode;
  }
}

/**
 * Writes `eta-vlm: message (CODE)` to stderr, the stack too when DEBUG is `eta-vlm` or the error is a bug, and returns the
 * exit code.
 */
export function reportFailure(thrown: unknown, called: CalledCommand): number {
  const first = firstOf(thrown);
  const error = lackOf(first) ?? first;
  if (error instanceof StoppedError) {
    if (error.message !== '') writeLine(error.message);
    return error.exitCode;
  }
  if (error instanceof CommanderError) return reportRefusal(error, called);
  if (error instanceof AbortError) {
    writeLine('interrupted.');
    return EXIT.interrupted;
  }
  if (error instanceof EtaError) {
    const text = inFlags(oneLine(error.message), called.flags, { said: called.said.map(visible) });
    writeLine(`${text}${text.includes('\n') ? '\n' : ' '}(${error.code})`);
    if (debugs()) write(process.stderr, `${error.stack}\n${causes(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failure;
  }
  const message = error instanceof Error ? error.message : String(error);
  writeLine(`${oneLine(message)} (unexpected: please report it with the lines that DEBUG=eta-vlm adds)`);
  if (debugs() && error instanceof Error) write(process.stderr, `${error.stack}\n${causes(error)}`);
  return EXIT.failure;
}

/** Of an error and what failed while its holders were freed: the error. */
function firstOf(error: unknown): unknown {
  let first = error;
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) first = first.suppressed;
  return first;
}

/** Commander throws for `--help` and `--version` too, with exit code 0 and everything already written. */
function reportRefusal(error: CommanderError, { name, excessAdvice }: CalledCommand): number {
  if (error.exitCode === 0) return EXIT.ok;
  if (error.code === 'commander.help') return EXIT.usage;
  const code = COMMANDER_CODES[error.code] ?? 'ERR_INVALID_REQUEST';
  const text = oneLine(error.message.replace(/^error: /, ''))
    .replace(/ ?\(Did you mean (?:one of )?((?:(?!\(Did you mean ).)+)\?\)$/, (_, near: string) => {
      const names = near.split(', ').map((known) => `'${known}'`);
      return `. Did you mean ${names.join(', ')}?`;
    })
    .replace(/([^.?!])$/, '$1.');
  const advice = error.code === 'commander.excessArguments' ? excessAdvice : '';
  const said = `${text} ${advice}`.trimEnd();
  writeLine(`${said}${said.endsWith('?') ? '' : ` See '${name} --help'.`} (${code})`);
  return EXIT.usage;
}

function writeLine(text: string): void {
  tell(`eta-vlm: ${visible(text)}`); // written out before it is broken into lines
}

/** Of a message; a list in it keeps its lines. */
function oneLine(text: string): string {
  return text
    .split(/\n(?=- )/)
    .map((line) => line.replace(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks)).trim())
    .join('\n');
}

function debugs(): boolean {
  return (process.env['DEBUG'] ?? '').split(',').some((name) => name.trim() === 'eta-vlm' || name.trim() === '*');
}

function causes(error: Error): string {
  let text = '';
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) text += `caused by ${cause.stack}\n`;
  return text;
}
