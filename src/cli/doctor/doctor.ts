/** `eta-vlm doctor`: what this machine has, what will run where, and what to do about what is missing. */

import { UsageError } from '../../errors.js';
import { EXIT } from '../../terminal/failure.js';
import { columnsOf, createPaint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { examine } from './facts.js';
import { examineMemory, type MemoryFlags, memoryLines } from './memory.js';
import { reportLines } from './report.js';

export interface DoctorOptions extends Partial<MemoryFlags> {
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** Prints the report to stdout and returns the exit code: 1 when something needed is missing, memory included. */
export async function doctor(options: DoctorOptions, signal: AbortSignal): Promise<number> {
  const { model } = options;
  if (model !== undefined) return await memory({ ...options, model });
  const { verify: _verify, json: _json, ...others } = options;
  if (Object.keys(others).length > 0) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      'Expected --model beside the options of memory, received none. Name the model that is asked about.',
    );
  }
  const progress = new Progress();
  const onStep = (step: string) => progress.show(`${step} ...`);
  const report = await examine({ verifiesHashes: options.verify === true, signal, onStep }).finally(() =>
    progress.clear(),
  );
  const text = options.json
    ? JSON.stringify(report)
    : reportLines(report, { paint: createPaint(process.stdout), columns: columnsOf(process.stdout) }).join('\n');
  print(`${text}\n`);
  return report.problems.length === 0 ? EXIT.ok : EXIT.failure;
}

async function memory(options: DoctorOptions & MemoryFlags): Promise<number> {
  const report = await examineMemory(options);
  const form = { paint: createPaint(process.stdout), columns: columnsOf(process.stdout) };
  print(`${options.json ? JSON.stringify(report) : memoryLines(report, form).join('\n')}\n`);
  return report.fits ? EXIT.ok : EXIT.failure;
}
