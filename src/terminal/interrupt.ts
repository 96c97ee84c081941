/** What may stop a command from outside: Ctrl-C, a termination, a terminal that is closed, a stdout that takes no more. */
import { isatty } from 'node:tty';
import { FileError } from '../errors.js';
import { EXIT, StoppedError } from './failure.js';

/** What is said, and the exit code, which is 128 and the signal's number as in a shell. */
const SIGNALS = {
  SIGINT: ['interrupted.', EXIT.interrupted],
  SIGTERM: ['terminated.', EXIT.terminated],
  SIGHUP: ['stopped, because the terminal was closed.', EXIT.hungUp],
} as const;

/** Ctrl-C, for a command whose work has parts that may be stopped without it. */
export interface Interrupts {
  /** Asked at each Ctrl-C: true where it was meant for a part of the work, and the command goes on. @default never */
  isForPart: () => boolean;
  /** A Ctrl-C that came as a key, because the terminal sends no signal for it. */
  press(): void;
}

/**
 * Runs a command, its imports included, under one AbortSignal. The first signal aborts it, so that it frees what it holds; a
 * second one ends the process. When stdout is closed by its reader (`| head`), the command is aborted too, and ends quietly.
 *
 * @throws StoppedError when the command ended because of it; FileError ERR_FILE_WRITE when stdout cannot be written; else
 * what the command throws
 */
export async function withInterrupt<Result>(
  run: (signal: AbortSignal, interrupts: Interrupts) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const interrupts: Interrupts = { isForPart: () => false, press: () => process.emit('SIGINT', 'SIGINT') };
  let stopped: Error | undefined;

  const stop = (reason: Error) => {
    stopped ??= reason;
    controller.abort(stopped);
  };
  const onOutputError = (error: NodeJS.ErrnoException) => {
    const reason = `Expected to write "stdout", but it failed: ${error.message}. Send it elsewhere.`;
    if (error.code === 'EPIPE') stop(new StoppedError('', EXIT.ok));
    else stop(new FileError('ERR_FILE_WRITE', reason, { cause: error }));
  };

  // They stay: a signal that comes while the process is ending anyway must not look like a crash.
  for (const [signal, [text, exitCode]] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      if (signal === 'SIGINT' && interrupts.isForPart()) return;
      stop(new StoppedError(text, exitCode));
    });
  }
  process.stdout.on('error', onOutputError);
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => endWithout(terminals));
  try {
    const result = await run(controller.signal, interrupts);
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve())); // whether the last of it went out
    if (stopped !== undefined) throw stopped;
    return result;
  } catch (error) {
    throw stopped ?? error;
  }
}

/** Node sets terminals back as it ends, and aborts where they are gone: then the signal ends it, all else being done. */
function endWithout(terminals: readonly number[]): void {
  if (terminals.every((fd) => isatty(fd))) return;
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
