/** The file beside a results file that tells which settings its answers were made under. */

import { FileError, UsageError } from '../errors.js';
import { isRecord } from '../json.js';
import { describe, describePath } from '../options.js';
import { placeOf } from '../outputs/index.js';
import { readRegularText } from '../regular-file.js';
import type { BatchSettings, SettingValue } from './settings.js';

/** One setting that is not the same. */
export interface Difference {
  /** With dots: "policy.temperature". */
  readonly name: string;
  readonly before: SettingValue | undefined;
  readonly now: SettingValue | undefined;
}

/** Every setting that two runs do not share, in the order of their names' first standing. */
export function differences(before: SettingValue | undefined, now: SettingValue | undefined, name = ''): Difference[] {
  if (isRecord(before) && isRecord(now)) {
    const names = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...names].flatMap((field) =>
      differences(own(before, field), own(now, field), name === '' ? field : `${name}.${field}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ name, before, now }];
}

/** A name may be one that every object has. */
function own(record: BatchSettings, field: string): SettingValue | undefined {
  return Object.hasOwn(record, field) ? record[field] : undefined;
}

/** Differences in words: "policy.temperature was 1.5, is 1"; "exact was not set, is true". */
export function inWords(found: readonly Difference[]): string {
  return found.map(({ name, before, now }) => `${name} was ${told(before)}, is ${told(now)}`).join('; ');
}

/** What is as it is by default stands in no settings. */
function told(value: SettingValue | undefined): string {
  if (value === undefined) return 'not set';
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : describe(value);
}

/** Where the settings of a results file stand. */
export function settingsPath(resultsPath: string): string {
  return `${resultsPath}.settings.json`;
}

const FORMAT = 'eta-vlm/batch';
/** Form of the settings and of the lines beside them. */
const FORM = 3;
/** What lines of earlier forms lack. */
const EARLIER: Readonly<Record<number, string>> = {
  1: 'their lines do not tell whether an answer was cut (stopReason)',
  2: 'their verdicts have another form',
};

/** The text of a settings file; `about` is for readers, and never compared. */
export function settingsText(settings: BatchSettings, about: BatchSettings): string {
  return `${JSON.stringify({ format: FORMAT, formatVersion: FORM, settings, about }, null, 2)}\n`;
}

/**
 * The settings that answers were made under.
 *
 * @param resultsPath the results file, whose settings stand beside it; where it is a link, beside the file behind it
 * @returns null when there are none
 * @throws FileError ERR_FILE_READ, ERR_FILE_INVALID; UsageError ERR_RESULTS_DIFFER for answers of an earlier form
 */
export async function readSettings(resultsPath: string): Promise<BatchSettings | null> {
  const path = settingsPath((await placeOf(resultsPath)).target);
  const found = await readForm(path);
  const lack = found === null ? undefined : EARLIER[found.form];
  if (lack !== undefined) {
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `Expected answers of this version's form, received those of ${describePath(path)}, which an earlier version of eta-vlm began: ${lack}. Begin another results file. Or begin anew with overwrite: true.`,
    );
  }
  return found?.settings ?? null;
}

/** Whether settings of a batch stand there, of whichever form. @throws FileError ERR_FILE_READ, ERR_FILE_INVALID */
export async function holdsSettings(path: string): Promise<boolean> {
  return (await readForm(path)) !== null;
}

async function readForm(path: string): Promise<{ readonly form: number; readonly settings: BatchSettings } | null> {
  let text: string;
  try {
    text = await readRegularText(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new FileError('ERR_FILE_READ', `Expected to read ${describePath(path)}: ${(cause as Error).message}.`, {
      cause,
    });
  }
  const { format, formatVersion, settings } = parsed(text);
  if (
    format === FORMAT &&
    typeof formatVersion === 'number' &&
    (formatVersion === FORM || formatVersion in EARLIER) &&
    isRecord(settings)
  )
    return { form: formatVersion, settings };
  throw new FileError(
    'ERR_FILE_INVALID',
    `Expected the settings of a batch in ${describePath(path)}, received something else. Start again with another results file.`,
  );
}

/** Nothing of what is no JSON object. */
function parsed(text: string): { readonly [name: string]: SettingValue } {
  try {
    const value = JSON.parse(text) as SettingValue;
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * Holds the settings beside results against others.
 *
 * @param name of the results, for the message
 * @throws UsageError ERR_RESULTS_DIFFER for other settings, and for none; as {@link readSettings}
 */
export async function checkSettings(resultsPath: string, name: string, settings: BatchSettings): Promise<void> {
  const before = await readSettings(resultsPath);
  if (before === null) {
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `Expected the settings of ${describePath(name)} in ${describePath(settingsPath(resultsPath))}, found no such file. Put it back, or begin another results file.`,
    );
  }
  checkSame(
    before,
    settings,
    (words) =>
      `Expected the settings that ${describePath(name)} was begun under: ${words}. Resume under those, or begin another results file. Or begin anew with overwrite: true.`,
  );
}

/** @throws UsageError ERR_RESULTS_DIFFER that names each difference with both values */
export function checkSame(before: SettingValue, now: SettingValue, message: (words: string) => string): void {
  const found = differences(before, JSON.parse(JSON.stringify(now)) as SettingValue);
  if (found.length > 0) throw new UsageError('ERR_RESULTS_DIFFER', message(inWords(found)));
}
