#!/usr/bin/env node
/**
 * The command line. Only commander and small files of this folder are loaded here, so that `--help` answers at once; a
 * command's own module is imported when the command runs.
 */
import { EXIT, reportFailure } from '../terminal/failure.js';
import { follow } from './called.js';
import { createProgram } from './program.js';

// A reader of stdout that goes away (`--help | head -1`) is no failure; what a command does then is in interrupt.ts.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exitCode = EXIT.failure;
});
// Where stderr takes no more, nothing can be told; the work goes on.
process.stderr.on('error', () => undefined);

const program = createProgram();
const called = follow(program);
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error, called());
}
