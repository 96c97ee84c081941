/** `eta-vlm calibrate`: scores, thresholds, the report; the table goes to stdout. */
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import {
  type CalibrateOptions,
  type Calibration,
  type CutRule,
  calibrate,
  calibratedParts,
  calibrationReport,
  thresholdsFile,
  withEarlier,
} from '../../calibration/index.js';
import { FileError, ModelError } from '../../errors.js';
import { installedThresholds, THRESHOLDS_FILE, type ThresholdsFile } from '../../manifest/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../policy/policy.js';
import { writeReport } from '../../report/index.js';
import { EXIT } from '../../terminal/failure.js';
import { inFlags, LOADING_FLAGS } from '../../terminal/option-flags.js';
import { tell } from '../../terminal/output.js';
import { allColumnsOf, createPaint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import type { Notice } from '../../types/notice.js';
import { commandLine } from '../command-line.js';
import { writeJsonFile } from '../json-file.js';
import { packageVersion } from '../run-facts.js';
import type { CalibrateFlags } from './flags.js';
import { checkInstall, checkOutputs, installFolders, makeOut } from './outputs.js';
import { decisionOf, foldersOf, sourcesOf } from './sources.js';
import { calibrationLines } from './table.js';

/** @throws UsageError before anything is scored; EtaError; AbortError */
export async function calibrateCommand(flags: CalibrateFlags, signal: AbortSignal): Promise<number> {
  const startedAt = new Date().toISOString();
  const sources = await sourcesOf(flags);
  const decision = await decisionOf(flags);
  const folders = await foldersOf(flags, decision);
  const installs = flags.install === true ? installFolders(folders, sources, decision) : [];
  await checkOutputs(flags.out, sources, { ...folders, decision }, installs);
  await makeOut(flags.out);
  const earlier = await earlierThresholds(flags.out);
  for (const { folder } of installs) await checkInstall(folder);
  const calibration = await calibrateShown({ ...sources, ...folders, decision, ...settingsOf(flags), signal });
  const run = { command: commandLine(), endedAt: new Date().toISOString() };
  const nothing = calibratedParts(calibration).filter(({ calibrated }) => Number.isNaN(calibrated.fit.threshold.value));
  for (const line of complaints(calibration)) tell(`eta-vlm: ${line}`);
  if (nothing.length > 0) {
    tell('eta-vlm: nothing was written: there is no threshold without scores of both classes.');
    return EXIT.failure;
  }
  const path = join(flags.out, THRESHOLDS_FILE);
  const installed = installs.map(({ folder }) => join(folder, THRESHOLDS_FILE));
  const { unread, leftOut } = calibration;
  const now = thresholdsFile(calibration, run);
  const { file, kept } = earlier === null ? { file: now, kept: [] } : withEarlier(now, earlier);
  const found = { ...now, unread, leftOut };
  const terminal = process.stdout.isTTY
    ? { paint: createPaint(process.stdout), columns: allColumnsOf(process.stdout) }
    : undefined;
  const lines = `${calibrationLines(calibration, terminal).join('\n')}\n`;
  try {
    await writeJsonFile(path, file);
    for (const { part, folder } of installs) {
      await writeJsonFile(join(folder, THRESHOLDS_FILE), thresholdsFile(calibration, run, [part]));
    }
    const versions = { 'eta-vlm': packageVersion(), Node: process.versions.node };
    const machine = { system: `${platform()} ${arch()}` };
    const about = { ...run, startedAt, versions, machine };
    const report = await writeReport(calibrationReport(calibration, about), flags.out);
    const files = { thresholds: path, kept, installed, report: report.html, plots: report.plots };
    print(flags.json === true ? `${JSON.stringify({ ...found, files })}\n` : lines);
    if (flags.json !== true) {
      const use =
        installed.length > 0 ? `in force from now on: ${installed.join(', ')}` : `use it with --thresholds ${path}`;
      tell(`\nwrote       ${path}, ${report.html}, ${report.plots.join(', ')}\n            ${use}`);
      if (kept.length > 0) tell(`kept        in ${path}, from an earlier calibration: ${kept.join(', ')}`);
    }
  } catch (error) {
    // The scores took long, and stand nowhere else.
    if (isUnwritten(error)) print(flags.json === true ? `${JSON.stringify({ ...found, files: null })}\n` : lines);
    throw error;
  }
  return unread.length > 0 ? EXIT.someFailed : EXIT.ok;
}

/** Those of the calibration before, in `--out`; null where there are none, or none that can be read: they are replaced. */
async function earlierThresholds(folder: string): Promise<ThresholdsFile | null> {
  try {
    return (await installedThresholds(folder))?.file ?? null;
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

function settingsOf(flags: CalibrateFlags) {
  const { maxFalsePositiveRate: most, safetyPrompt, question, threads, evaluatorDevice, maxPixels } = flags;
  const rule: CutRule = most === undefined ? { name: 'balance' } : { name: 'false-positive-rate', most };
  return {
    rule,
    safetyPrompt: safetyPrompt ?? SAFETY_PROMPT,
    question,
    postEvaluationPrompt: POST_EVALUATION_PROMPT,
    verifyHashes: 'changed' as const, // a command loads anew each time
    threadCount: threads,
    evaluatorDevice,
    maxPixels,
    onNotice: ({ message }: Notice) => tell(`eta-vlm: ${message}`),
  };
}

async function calibrateShown(options: CalibrateOptions): Promise<Calibration> {
  const progress = new Progress();
  try {
    progress.show('loading the models ...');
    return await calibrate({
      ...options,
      onProgress: (what, done, count) => progress.show(`scoring ${what} ... ${done} of ${count}`),
    });
  } finally {
    progress.clear();
  }
}

function isUnwritten(error: unknown): boolean {
  return error instanceof FileError && error.code === 'ERR_FILE_WRITE';
}

/** What a picture that was not read may advise to raise. */
const READING_FLAGS = new Set(['--max-pixels']);

/** What stderr should say, worst last. */
function complaints(calibration: Calibration): string[] {
  const { unread, leftOut } = calibration;
  const warnings = calibratedParts(calibration).flatMap(({ calibrated }) => calibrated.fit.warnings);
  return [
    ...unread.map(
      ({ name, reason }) => `not read: ${name}: ${inFlags(reason, READING_FLAGS, { table: LOADING_FLAGS })}`,
    ),
    ...leftOut,
    ...warnings.map((line) => `warning: ${line}`),
  ];
}
