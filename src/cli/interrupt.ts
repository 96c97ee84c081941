/** What may stop a command from outside: Ctrl-C, a termination, a reader of stdout that has gone away. */
import { EXIT, StoppedError } from './failure.js';

/**
 * Runs a command, its imports included, under one AbortSignal. The first SIGINT or SIGTERM aborts it, so that it frees what it holds; a second
 * one ends the process. When stdout is closed by its reader (`| head`), the command is aborted too, and ends quietly.
 *
 * @throws StoppedError when the command ended because of it; else what the command throws
 */
export async function withInterrupt<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let stopped: StoppedError | undefined;

  const stop = (reason: StoppedError) => {
    stopped ??= reason;
    controller.abort(reason);
  };
  const onInterrupt = () => {
    if (stopped !== undefined) process.exit(EXIT.interrupted);
    stop(new StoppedError('interrupted.', EXIT.interrupted));
  };
  const onTerminate = () => {
    if (stopped !== undefined) process.exit(EXIT.terminated);
    stop(new StoppedError('terminated.', EXIT.terminated));
  };
  const onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') stop(new StoppedError('', EXIT.ok));
    else stop(new StoppedError(`stdout cannot be written (${error.code ?? error.message}).`, EXIT.failure));
  };

  // They stay: a signal that comes while the process is ending anyway must not look like a crash.
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  process.stdout.on('error', onOutputError);
  try {
    const result = await run(controller.signal);
    if (stopped !== undefined) throw stopped;
    return result;
  } catch (error) {
    throw stopped ?? error;
  }
}
