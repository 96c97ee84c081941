#!/usr/bin/env node
/**
 * The command line. Only commander and small files of this folder are loaded here, so that `--help` answers at once; a
 * command's own module is imported when the command runs.
 */
import { reportFailure } from './failure.js';
import { createProgram } from './program.js';

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error);
}
