/** What `ResultsFile.open` is given, checked. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { isRecord } from '../json.js';
import type { ResultsPlaceOptions } from './results-place.js';
import type { BatchSettings } from './settings.js';

/** What `ResultsFile.open` takes. */
export interface ResultsFileOptions extends ResultsPlaceOptions {
  /**
   * What the answers depend on: see {@link settingsOf}. Bound to the file; resuming under others is ERR_RESULTS_DIFFER.
   */
  settings: BatchSettings;
  /** Kept beside the settings for readers; not compared. @default {} */
  about?: BatchSettings | undefined;
  /** With `resume`: whether failed lines go, so that their requests are asked again. @default false */
  retryErrors?: boolean | undefined;
}

const flag = z.boolean('expected true or false').optional();

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
