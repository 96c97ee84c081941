/** Where a calibration writes: its folder, and those of the models that it is installed in. */
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CalibrateOptions } from '../../calibration/index.js';
import { FileError, UsageError } from '../../errors.js';
import type { ResolvedDecision } from '../../loading/index.js';
import { THRESHOLDS_FILE } from '../../manifest/index.js';
import { describe, describePath } from '../../options.js';
import {
  checkApart,
  earlierAt,
  type FileEnds,
  type Input,
  makeFolder,
  type Output,
  unwritable,
} from '../../outputs/index.js';
import { checkReportPlace, reportOutputs } from '../../report/index.js';
import { checkWritable } from '../json-file.js';

/** Folders of the evaluators; null for what there is none of. */
export type Folders = Pick<CalibrateOptions, 'clip' | 'rewardModel'>;
export type Sources = Pick<CalibrateOptions, 'pictures' | 'answers'>;

/** A model's folder that thresholds are put into. */
export interface Install {
  readonly part: 'clip' | 'rewardModel';
  readonly folder: string;
}

/** Nothing that is read may be written to; only the thresholds of a model stand in its own folder. */
export async function checkOutputs(
  out: string,
  { pictures, answers }: Sources,
  folders: Folders & { readonly decision: ResolvedDecision | null },
  installs: readonly Install[],
): Promise<void> {
  const evaluators = [folders.clip, folders.rewardModel].flatMap((folder) => folder ?? []);
  const outputs: Output[] = [
    { path: join(out, THRESHOLDS_FILE), name: 'The thresholds (--out)' },
    ...reportOutputs(out),
  ];
  const sources: Input[] = [
    ...(pictures?.safe ?? []).map((path) => ({ path, name: 'the pictures of --safe' })),
    ...(pictures?.unsafe ?? []).map((path) => ({ path, name: 'the pictures of --unsafe' })),
    ...(answers === null
      ? []
      : [
          { path: answers.safe, name: 'the file of --safe-answers' },
          ...(answers.unsafe === null ? [] : [{ path: answers.unsafe, name: 'the file of --unsafe-answers' }]),
        ]),
    ...guardFiles(folders.decision),
  ];
  await checkApart(outputs, [...sources, ...evaluators.map((path) => ({ path, name: 'a folder of the models' }))]);
  const files = await Promise.all(evaluators.map(filesOf));
  await checkApart(
    [
      ...outputs,
      ...installs.map(({ folder }) => ({ path: join(folder, THRESHOLDS_FILE), name: 'The thresholds (--install)' })),
    ],
    [...sources, ...files.flat().map((path) => ({ path, name: 'a file of the models' }))],
  );
  await checkReportPlace(out);
  for (const folder of [out, ...installs.map((install) => install.folder)]) await checkOwnThresholds(folder);
}

/** @throws UsageError ERR_RESULTS_EXIST */
async function checkOwnThresholds(folder: string): Promise<void> {
  const path = join(folder, THRESHOLDS_FILE);
  const isOurs = ({ head }: FileEnds) => /"format"\s*:\s*"eta-vlm\/thresholds"/.test(head);
  if ((await earlierAt(path, isOurs)) !== 'other') return;
  throw new UsageError(
    'ERR_RESULTS_EXIST',
    `Expected nothing at ${describePath(path)}, where thresholds go, or those of an earlier calibration; found something else, which stays. Name another folder, or take the file away.`,
  );
}

function guardFiles(decision: ResolvedDecision | null): Input[] {
  const { guard = null, guardProjector = null } = decision?.files ?? {};
  return [guard, guardProjector].flatMap((path) => (path === null ? [] : [{ path, name: 'a file of the guard' }]));
}

/** All but the thresholds that were installed before. */
async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []); // loading tells
  return names.filter((name) => name !== THRESHOLDS_FILE).map((name) => join(folder, name));
}

/** Where no folder can be, or none that is ours; all else is the disk's fault. */
const WRONG_PLACE = ['EEXIST', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'];

/** Refused before anything is scored. @throws UsageError ERR_INVALID_OPTION; FileError ERR_FILE_WRITE */
export async function makeOut(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    const cause = error instanceof FileError ? error.cause : error;
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (!WRONG_PLACE.includes(code)) throw error instanceof FileError ? error : unwritable(folder, cause);
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--out: expected a folder that can be written to, received ${describe(folder)} (${code}). Name another.`,
      { cause },
    );
  }
  await checkWritable(join(folder, THRESHOLDS_FILE), '--out');
}

/** @throws UsageError for a decision: a guard is a file, and has no folder of its own */
export function installFolders(
  { clip, rewardModel }: Folders,
  { pictures, answers }: Sources,
  decision: ResolvedDecision | null,
): Install[] {
  if (decision !== null)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      '--install: expected evaluators with a folder of their own, received a guard, which is a file. Leave --install out, and name the file with --thresholds instead.',
    );
  // calibrating says what is missing
  return [
    ...(pictures !== null && clip !== null ? [{ part: 'clip' as const, folder: clip }] : []),
    ...(answers !== null && rewardModel !== null ? [{ part: 'rewardModel' as const, folder: rewardModel }] : []),
  ];
}

/** @throws UsageError when a model's folder cannot be written to, or is another's */
export async function checkInstall(folder: string): Promise<void> {
  if (folder.endsWith('.onnx'))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--install: expected a model with a manifest of its own, received one as others publish it, ${describe(folder)}. Leave --install out, and name the file with --thresholds instead.`,
    );
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--install: expected a model's folder that can be written to, received ${describe(folder)}. Leave --install out, and name the file with --thresholds instead.`,
      { cause },
    );
  }
  await checkWritable(join(folder, THRESHOLDS_FILE), '--install');
}
