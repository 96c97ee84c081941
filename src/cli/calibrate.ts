/** `eta-vlm calibrate`: scores, thresholds, the report; the table goes to stdout. */
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  type CalibrateOptions,
  type Calibration,
  type CutRule,
  calibrate,
  calibrationReport,
  thresholdsFile,
} from '../calibration/index.js';
import { ModelError, UsageError } from '../errors.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../eta/defaults.js';
import { THRESHOLDS_FILE } from '../evaluators/index.js';
import { resolveModels } from '../models/index.js';
import { describe } from '../options.js';
import { writeReport } from '../report/index.js';
import { calibrationLines } from './calibrate-table.js';
import { commandLine } from './command-line.js';
import { EXIT } from './failure.js';
import { Progress } from './progress.js';
import { packageVersion } from './run-facts.js';
import { checkWritable, writeJsonFile } from './trace-file.js';

export interface CalibrateFlags {
  readonly safe?: readonly string[];
  readonly unsafe?: readonly string[];
  readonly gallery?: boolean;
  readonly safeAnswers?: string;
  readonly unsafeAnswers?: string;
  readonly maxFalsePositiveRate?: number;
  readonly safetyPrompt?: string;
  readonly out: string;
  readonly install?: boolean;
  readonly json?: boolean;
  readonly models?: string;
  readonly clip?: string;
  readonly rewardModel?: string;
  readonly threads?: number;
}

/** Folders of the evaluators; null for what there is none of. */
type Folders = Pick<CalibrateOptions, 'clip' | 'rewardModel'>;

/** @throws UsageError before anything is scored; EtaError; AbortError */
export async function calibrateCommand(flags: CalibrateFlags, signal: AbortSignal): Promise<number> {
  const startedAt = new Date().toISOString();
  const sources = await sourcesOf(flags);
  const folders = await foldersOf(flags);
  await makeFolder(flags.out);
  const installs = flags.install === true ? await installFolders(folders, sources) : [];
  const calibration = await calibrateShown({ ...sources, ...folders, ...settingsOf(flags), signal });
  const run = { command: commandLine(), endedAt: new Date().toISOString() };
  const nothing = [calibration.clip, calibration.rewardModel].filter(
    (part) => part && Number.isNaN(part.fit.threshold.value),
  );
  for (const line of complaints(calibration)) process.stderr.write(`eta-vlm: ${line}\n`);
  if (nothing.length > 0) {
    process.stderr.write('eta-vlm: nothing was written: there is no threshold without scores of both classes.\n');
    return EXIT.failure;
  }
  const path = join(flags.out, THRESHOLDS_FILE);
  await writeJsonFile(path, thresholdsFile(calibration, run));
  for (const { part, folder } of installs) {
    await writeJsonFile(join(folder, THRESHOLDS_FILE), thresholdsFile(calibration, run, [part]));
  }
  const versions = { 'eta-vlm': packageVersion(), Node: process.versions.node };
  const machine = { system: `${platform()} ${arch()}` };
  const report = await writeReport(calibrationReport(calibration, { ...run, startedAt, versions, machine }), flags.out);
  const installed = installs.map(({ folder }) => join(folder, THRESHOLDS_FILE));
  if (flags.json === true) {
    const { unread, leftOut } = calibration;
    const files = { thresholds: path, installed, report: report.html, plots: report.plots };
    process.stdout.write(`${JSON.stringify({ ...thresholdsFile(calibration, run), unread, leftOut, files })}\n`);
  } else {
    process.stdout.write(`${calibrationLines(calibration).join('\n')}\n`);
    const use =
      installed.length > 0 ? `in force from now on: ${installed.join(', ')}` : `use it with --thresholds ${path}`;
    process.stderr.write(`\nwrote       ${path}, ${report.html}, ${report.plots.join(', ')}\n            ${use}\n`);
  }
  return calibration.unread.length > 0 ? EXIT.someFailed : EXIT.ok;
}

/** @throws UsageError for options that do not fit together, with the option that is missing */
async function sourcesOf(flags: CalibrateFlags): Promise<Pick<CalibrateOptions, 'pictures' | 'answers'>> {
  if (flags.gallery === true) return { pictures: await gallery(), answers: null };
  const { safe, unsafe, safeAnswers, unsafeAnswers } = flags;
  const pair = <Value>(one: Value | undefined, other: Value | undefined, names: readonly [string, string]) => {
    if (one === undefined && other === undefined) return null;
    if (one !== undefined && other !== undefined) return { safe: one, unsafe: other };
    const [given, missing] = one === undefined ? [names[1], names[0]] : names;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected ${missing} beside ${given}, received none. A threshold lies between two classes: name both.`,
    );
  };
  const pictures = pair(safe, unsafe, ['--safe', '--unsafe']);
  const answers = pair(safeAnswers, unsafeAnswers, ['--safe-answers', '--unsafe-answers']);
  if (pictures !== null || answers !== null) return { pictures, answers };
  throw new UsageError(
    'ERR_INVALID_OPTION',
    'Expected --safe and --unsafe with pictures, or --safe-answers and --unsafe-answers, received none. Try it with --gallery.',
  );
}

const gallerySchema = z.object({ pictures: z.array(z.object({ file: z.string(), isUnsafe: z.boolean() })) });

async function gallery() {
  const folder = new URL('../../models/miniature/pictures/', import.meta.url);
  const list = fileURLToPath(new URL('pictures.json', folder));
  try {
    const { pictures } = gallerySchema.parse(JSON.parse(await readFile(list, 'utf8')));
    const of = (isUnsafe: boolean) =>
      pictures
        .filter((picture) => picture.isUnsafe === isUnsafe)
        .map(({ file }) => fileURLToPath(new URL(file, folder)));
    return { safe: of(false), unsafe: of(true) };
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the gallery's list at ${describe(list)}. Install eta-vlm again.`,
      { cause },
    );
  }
}

/** No language model is needed. */
async function foldersOf({ models, clip, rewardModel }: CalibrateFlags): Promise<Folders> {
  if (clip !== undefined || rewardModel !== undefined) return { clip: clip ?? null, rewardModel: rewardModel ?? null };
  return await resolveModels(models ?? 'miniature');
}

function settingsOf({ maxFalsePositiveRate: most, safetyPrompt, threads }: CalibrateFlags) {
  const rule: CutRule = most === undefined ? { name: 'balance' } : { name: 'false-positive-rate', most };
  return {
    rule,
    safetyPrompt: safetyPrompt ?? SAFETY_PROMPT,
    postEvaluationPrompt: POST_EVALUATION_PROMPT,
    threadCount: threads,
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

/** Refused before anything is scored. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--out: expected a folder that can be written to, received ${describe(folder)} (${(cause as NodeJS.ErrnoException).code}). Name another.`,
      { cause },
    );
  }
  await checkWritable(join(folder, THRESHOLDS_FILE), '--out');
}

type Part = 'clip' | 'rewardModel';

/** @throws UsageError when a model's folder cannot be written to */
async function installFolders(
  folders: Folders,
  { pictures, answers }: Pick<CalibrateOptions, 'pictures' | 'answers'>,
): Promise<{ readonly part: Part; readonly folder: string }[]> {
  const wanted: (readonly [Part, string | null])[] = [];
  if (pictures !== null) wanted.push(['clip', folders.clip]);
  if (answers !== null) wanted.push(['rewardModel', folders.rewardModel]);
  const found: { part: Part; folder: string }[] = [];
  for (const [part, folder] of wanted) {
    if (folder === null) continue; // calibrating says what is missing
    const path = join(folder, THRESHOLDS_FILE);
    try {
      await access(dirname(path), constants.W_OK);
    } catch (cause) {
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `--install: expected a model's folder that can be written to, received ${describe(folder)}. Leave --install out, and name the file with --thresholds instead.`,
        { cause },
      );
    }
    await checkWritable(path, '--install');
    found.push({ part, folder });
  }
  return found;
}

/** What stderr should say, worst last. */
function complaints({ clip, rewardModel, unread, leftOut }: Calibration): string[] {
  const warnings = [clip, rewardModel].flatMap((part) => part?.fit.warnings ?? []);
  return [
    ...unread.map(({ name, reason }) => `not read: ${name}: ${reason}`),
    ...leftOut,
    ...warnings.map((line) => `warning: ${line}`),
  ];
}
