/** What every command of the builder does around its work. */
import { BuildError, say, stopRunning } from './progress.mjs';

/**
 * Runs it with the command line's arguments. A signal ends its compilers with it (130); a BuildError is told by its message.
 *
 * @param {(args: string[]) => Promise<void>} main
 */
export async function runCommand(main) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      stopRunning(signal);
      process.exit(130);
    });
  }
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}
