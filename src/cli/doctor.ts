/** `eta-vlm doctor`: what this machine has, what will run where, and what to do about what is missing. */

import { examine } from './doctor-facts.js';
import { reportLines } from './doctor-report.js';
import { EXIT } from './failure.js';
import { columnsOf, createPaint } from './paint.js';
import { Progress } from './progress.js';

export interface DoctorOptions {
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** Prints the report to stdout and returns the exit code: 1 when something needed is missing. */
export async function doctor(options: DoctorOptions, signal: AbortSignal): Promise<number> {
  const progress = new Progress();
  const onStep = (step: string) => progress.show(`${step} ...`);
  const report = await examine({ verifiesHashes: options.verify === true, signal, onStep }).finally(() =>
    progress.clear(),
  );
  const text = options.json
    ? JSON.stringify(report)
    : reportLines(report, { paint: createPaint(process.stdout), columns: columnsOf(process.stdout) }).join('\n');
  process.stdout.write(`${text}\n`);
  return report.problems.length === 0 ? EXIT.ok : EXIT.failure;
}
