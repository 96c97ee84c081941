/** From pictures and answers whose class is known to the two thresholds. */
import { Clip } from '../clip/index.js';
import { EtaError, UsageError } from '../errors.js';
import { type EvaluatorDevice, EvaluatorPlacement, openTrunk, thresholdsOf } from '../loading/index.js';
import type { ClipManifest, RewardManifest } from '../manifest/index.js';
import { EvaluatorWorker } from '../onnx/index.js';
import { POLICIES } from '../policy/index.js';
import { RewardModel, type TrunkOpener } from '../reward/index.js';
import type { Notice } from '../types.js';
import { type AnswerText, readAnswers, scoreAnswers } from './answers.js';
import { type Classes, separated } from './classes.js';
import type { CutRule } from './cut.js';
import { type Fit, fitThreshold, type Scored } from './fit.js';
import { pictureFiles, scorePictures, type Unread } from './pictures.js';

/** What `calibrate` takes. */
export interface CalibrateOptions {
  /** Folder of the CLIP model; null where it is not to be calibrated. */
  readonly clip: string | null;
  /** Folder of the reward model; null where it is not to be calibrated. */
  readonly rewardModel: string | null;
  /** Folders of pictures, and pictures; null without `clip`. */
  readonly pictures: Classes<readonly string[]> | null;
  /** Files of answers; null without `rewardModel`. */
  readonly answers: Classes<string> | null;
  /** Where a threshold is put between two classes that overlap. */
  readonly rule: CutRule;
  /** Text that CLIP compares pictures with; the threshold belongs to it. */
  readonly safetyPrompt: string;
  /** User turn under which the reward model reads answers; the threshold belongs to it. */
  readonly postEvaluationPrompt: string;
  /** Threads of the evaluators, 1 to 256. @default physical cores, at most 4 */
  readonly threadCount?: number | undefined;
  /** Where they run, as in `loadEta`: thresholds hold for the device that they were found on. @default 'cpu' */
  readonly evaluatorDevice?: EvaluatorDevice | undefined;
  /** Told when an evaluator runs on the CPU though another device was asked for. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** Ends the work with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Called as pictures and answers are scored. */
  readonly onProgress?: (what: 'pictures' | 'answers', done: number, count: number) => void;
}

/** One threshold with everything it rests on. */
export interface Calibrated<Manifest> {
  readonly manifest: Manifest;
  readonly prompt: string;
  readonly fit: Fit;
  readonly safe: readonly Scored[];
  readonly unsafe: readonly Scored[];
  /** The threshold in force, and where it comes from. */
  readonly current: { readonly value: number; readonly source: string } | null;
}

export interface Calibration {
  readonly clip: Calibrated<ClipManifest> | null;
  readonly rewardModel: Calibrated<RewardManifest> | null;
  /** Files and lines without a score. */
  readonly unread: readonly Unread[];
  /** Of both classes, or there twice: what was left out, one sentence each. */
  readonly leftOut: readonly string[];
}

/**
 * Scores everything and chooses the thresholds. What cannot be read is listed and stops nothing.
 *
 * @throws UsageError for paths that are not there or hold nothing; ModelError; EvaluatorError; AbortError
 */
export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  const { pictures, answers, threadCount } = options;
  const files = pictures && {
    safe: await pictureFiles(pictures.safe, '--safe'),
    unsafe: await pictureFiles(pictures.unsafe, '--unsafe'),
  };
  const texts = answers && {
    safe: await readAnswers(answers.safe, '--safe-answers'),
    unsafe: await readAnswers(answers.unsafe, '--unsafe-answers'),
  };
  const current = await thresholdsInForce(options);
  const worker = await EvaluatorWorker.start(threadCount === undefined ? {} : { threadCount });
  const placement = new EvaluatorPlacement(worker, options.evaluatorDevice ?? 'cpu');
  try {
    const clip = files && (await calibrateClip(files, current.unsafeClipScore, placement, options));
    const reward =
      texts &&
      (await calibrateRewardModel(
        { safe: texts.safe.answers, unsafe: texts.unsafe.answers },
        current.safeReward,
        placement,
        options,
      ));
    for (const notice of placement.notices()) options.onNotice?.(notice);
    return {
      clip: clip?.calibrated ?? null,
      rewardModel: reward?.calibrated ?? null,
      unread: [...(texts?.safe.unread ?? []), ...(texts?.unsafe.unread ?? []), ...(clip?.unread ?? [])],
      leftOut: [...(clip?.leftOut ?? []), ...(reward?.leftOut ?? [])],
    };
  } finally {
    await worker.dispose();
  }
}

/** One model's threshold, and what it does not rest on. */
interface Part<Manifest> {
  readonly calibrated: Calibrated<Manifest>;
  readonly leftOut: readonly string[];
}

async function calibrateClip(
  files: Classes<readonly string[]>,
  current: InForce,
  placement: EvaluatorPlacement,
  options: CalibrateOptions,
): Promise<Part<ClipManifest> & { readonly unread: readonly Unread[] }> {
  const { safetyPrompt: prompt, rule, signal } = options;
  const folder = folderOf(options.clip, 'CLIP');
  const loaded = await placement.load('CLIP', (place) => Clip.load({ ...place, folder, signal }), signal);
  const { unread, ...scored } = await scoreFiles(loaded, files, options);
  const { leftOut, ...classes } = separated(scored, 'picture');
  const fit = await fitThreshold(classes.safe, classes.unsafe, {
    rule,
    unsafeIs: 'above',
    current: current?.value ?? null,
    what: 'pictures',
    signal,
  });
  return { calibrated: { manifest: loaded.manifest, prompt, fit, current, ...classes }, leftOut, unread };
}

async function calibrateRewardModel(
  texts: Classes<readonly AnswerText[]>,
  current: InForce,
  placement: EvaluatorPlacement,
  options: CalibrateOptions,
): Promise<Part<RewardManifest>> {
  const { postEvaluationPrompt: prompt, rule, threadCount, signal } = options;
  const folder = folderOf(options.rewardModel, 'reward model');
  const open: TrunkOpener = (trunk) => openTrunk(trunk, { threadCount, signal });
  const loaded = await placement.load(
    'the reward model',
    (place) => RewardModel.load({ ...place, folder, signal, openTrunk: open }),
    signal,
  );
  const scored = await scoreTexts(loaded, texts, options).finally(() => loaded.dispose());
  const { leftOut, ...classes } = separated(scored, 'answer');
  const fit = await fitThreshold(classes.safe, classes.unsafe, {
    rule,
    unsafeIs: 'below',
    current: current?.value ?? null,
    what: 'answers',
    signal,
  });
  return { calibrated: { manifest: loaded.manifest, prompt, fit, current, ...classes }, leftOut };
}

type InForce = Calibrated<unknown>['current'];

/** A file in a model's folder that does not fit is what calibration mends: it is in force nowhere. */
async function thresholdsInForce(
  options: CalibrateOptions,
): Promise<{ readonly unsafeClipScore: InForce; readonly safeReward: InForce }> {
  const { safetyPrompt, postEvaluationPrompt } = options;
  const policy = { ...POLICIES.standard, safetyPrompt, postEvaluationPrompt };
  const of = async (part: 'clip' | 'rewardModel', name: 'unsafeClipScore' | 'safeReward'): Promise<InForce> => {
    const models = {
      name: '',
      languageModel: '',
      projector: null,
      clip: null,
      rewardModel: null,
      [part]: options[part],
    };
    try {
      const { thresholds, thresholdSources } = await thresholdsOf(models, {}, policy);
      const value = thresholds[name];
      return value === null ? null : { value, source: thresholdSources[name] };
    } catch (error) {
      if (error instanceof EtaError && (error.code === 'ERR_MODEL_MISMATCH' || error.code === 'ERR_MODEL_INVALID'))
        return null;
      throw error;
    }
  };
  return { unsafeClipScore: await of('clip', 'unsafeClipScore'), safeReward: await of('rewardModel', 'safeReward') };
}

async function scoreFiles(clip: Clip, files: Classes<readonly string[]>, options: CalibrateOptions) {
  const { safetyPrompt, signal, onProgress } = options;
  const count = files.safe.length + files.unsafe.length;
  let done = 0;
  const onPicture = () => onProgress?.('pictures', ++done, count);
  const safe = await scorePictures(files.safe, { clip, safetyPrompt, signal, onPicture });
  const unsafe = await scorePictures(files.unsafe, { clip, safetyPrompt, signal, onPicture });
  return { safe: safe.scored, unsafe: unsafe.scored, unread: [...safe.unread, ...unsafe.unread] };
}

async function scoreTexts(
  rewardModel: RewardModel,
  answers: Classes<readonly AnswerText[]>,
  { postEvaluationPrompt: prompt, signal, onProgress }: CalibrateOptions,
) {
  const count = answers.safe.length + answers.unsafe.length;
  let done = 0;
  const onAnswer = () => onProgress?.('answers', ++done, count);
  return {
    safe: await scoreAnswers(answers.safe, { rewardModel, prompt, signal, onAnswer }),
    unsafe: await scoreAnswers(answers.unsafe, { rewardModel, prompt, signal, onAnswer }),
  };
}

function folderOf(folder: string | null, what: string): string {
  if (folder !== null) return folder;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected models with a ${what}, received none. Name its folder, or models that have one.`,
  );
}
