/** What `runBatch` and `ResultsFile.open` are given, checked. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import type { Eta } from '../eta/index.js';
import { isRecord } from '../json.js';
import { integer } from '../options.js';
import type { ResultsFile, ResultsFileOptions } from './results-file.js';
import type { RunBatchOptions } from './run.js';
import type { BatchSettings } from './settings.js';

const FLAG = 'expected true or false';
const flag = z.boolean(FLAG).optional();
const holds =
  (...methods: readonly string[]) =>
  (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function');

/** Whether it can be written: no circle, no integer of any size, nothing that throws. */
function isWritable(value: unknown): boolean {
  try {
    return isRecord(value) && typeof JSON.stringify(value) === 'string';
  } catch {
    return false;
  }
}

const settings = z.custom<BatchSettings>(isWritable, 'expected an object that JSON can hold');

export const resultsFileSchema = z.strictObject(
  {
    path: z.string('expected a path').regex(/^[^\0]+$/, 'expected a path'),
    settings,
    about: settings.optional(),
    resume: flag,
    overwrite: flag,
    retryErrors: flag,
    waits: flag,
    signal: signalSchema.optional(),
    onWait: z
      .custom<NonNullable<ResultsFileOptions['onWait']>>((value) => typeof value === 'function', 'expected a function')
      .optional(),
  },
  'expected { path, settings }',
);

const isIterable = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  [Symbol.iterator, Symbol.asyncIterator].some((name) => typeof Reflect.get(value, name) === 'function');

export const runBatchSchema = z.strictObject(
  {
    eta: z.custom<Eta>(holds('respond'), 'expected an Eta of loadEta'),
    requests: z.custom<RunBatchOptions['requests']>(isIterable, 'expected an iterable of requests'),
    results: z.custom<ResultsFile>(holds('add', 'find', 'flush'), 'expected a ResultsFile that is open'),
    concurrency: integer(1, 255).optional(),
    seed: integer(0, 0xffffffff).optional(),
    ordered: flag,
    keepsTrace: flag,
    repeatable: flag,
    signal: signalSchema.optional(),
    onProgress: z
      .custom<NonNullable<RunBatchOptions['onProgress']>>((value) => typeof value === 'function', 'expected a function')
      .optional(),
  },
  'expected { eta, requests, results }',
);
