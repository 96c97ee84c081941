/** From pictures and answers whose class is known to thresholds. */
import { Clip, cosine } from '../clip/index.js';
import { UsageError } from '../errors.js';
import { EvaluatorPlacement, openTrunk } from '../loading/index.js';
import { type ClipManifest, filesOf, modelDigest, type RewardManifest } from '../manifest/index.js';
import { EvaluatorWorker } from '../onnx/index.js';
import { RewardModel, type TrunkOpener } from '../reward/index.js';
import { type AnswerText, readAnswers, scoreAnswers } from './answers.js';
import type { CalibrateOptions } from './calibrate-options.js';
import type { Calibrated, Calibration, Subject } from './calibration.js';
import { type Found, type KnownClasses, scoreClasses } from './classes.js';
import { calibrateDecision, checkDecision } from './decide.js';
import { thresholdsInForce } from './in-force.js';
import { type Part, partOf } from './part.js';
import { pictureFiles, scorePictures } from './pictures.js';
import { safeRule } from './safe-fit.js';
import { checkSafeCount } from './safe-quantile.js';

/**
 * Scores everything and chooses the thresholds. What cannot be read is listed and stops nothing.
 *
 * @throws UsageError for paths that are not there or hold nothing, and for too few safe ones without unsafe ones;
 * ModelError; EvaluatorError; AbortError
 */
export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  const { decision = null } = options;
  const { found, unread } = await findAll(options);
  const byGuard: Found = {
    pictures: decision !== null && options.clip === null ? found.pictures : null,
    answers: decision === null ? null : found.answers,
  };
  const byModels: Found = {
    pictures: byGuard.pictures === null ? found.pictures : null,
    answers: byGuard.answers === null ? found.answers : null,
  };
  const guard = decision && checkDecision(decision, byGuard);
  const evaluated = await calibrateEvaluators(byModels, options);
  const decided = decision && guard && (await calibrateDecision(decision.form, guard, byGuard, options));
  return {
    clip: evaluated.clip?.calibrated ?? null,
    rewardModel: evaluated.rewardModel?.calibrated ?? null,
    decision: decided?.decision ?? null,
    unread: [...unread, ...(evaluated.clip?.unread ?? []), ...(decided?.unread ?? [])],
    leftOut: [
      ...(evaluated.clip?.leftOut ?? []),
      ...(evaluated.rewardModel?.leftOut ?? []),
      ...(decided?.leftOut ?? []),
    ],
  };
}

/** Files and lines, and whether safe ones alone are enough. */
async function findAll({ pictures, answers, rule }: CalibrateOptions) {
  const safePictures = pictures && (await pictureFiles(pictures.safe, '--safe'));
  const unsafePictures = pictures?.unsafe && (await pictureFiles(pictures.unsafe, '--unsafe'));
  const safeAnswers = answers && (await readAnswers(answers.safe, '--safe-answers'));
  const unsafeAnswers = answers?.unsafe ? await readAnswers(answers.unsafe, '--unsafe-answers') : null;
  const found: Found = {
    pictures: safePictures && { safe: safePictures, unsafe: unsafePictures ?? null },
    answers: safeAnswers && { safe: safeAnswers.answers, unsafe: unsafeAnswers?.answers ?? null },
  };
  const { most } = safeRule(rule);
  if (found.pictures?.unsafe === null) checkSafeCount(found.pictures.safe.length, most, 'pictures');
  if (found.answers?.unsafe === null) checkSafeCount(found.answers.safe.length, most, 'answers');
  return { found, unread: [...(safeAnswers?.unread ?? []), ...(unsafeAnswers?.unread ?? [])] };
}

/** Those of ONNX. */
async function calibrateEvaluators(
  { pictures, answers }: Found,
  options: CalibrateOptions,
): Promise<{ readonly clip: Part | null; readonly rewardModel: Part | null }> {
  if (pictures === null && answers === null) return { clip: null, rewardModel: null };
  const { threadCount } = options;
  const current = await thresholdsInForce(options);
  const worker = await EvaluatorWorker.start(threadCount === undefined ? {} : { threadCount });
  const placement = new EvaluatorPlacement(worker, options.evaluatorDevice ?? 'cpu');
  try {
    const clip = pictures && (await calibrateClip(pictures, current.unsafeClipScore, placement, options));
    const rewardModel = answers && (await calibrateRewardModel(answers, current.safeReward, placement, options));
    for (const notice of placement.takeNotices()) options.onNotice?.(notice);
    return { clip, rewardModel };
  } finally {
    await worker.dispose();
  }
}

async function calibrateClip(
  files: KnownClasses<readonly string[]>,
  current: Calibrated['current'],
  placement: EvaluatorPlacement,
  options: CalibrateOptions,
): Promise<Part> {
  const { safetyPrompt: prompt, verifyHashes, maxPixels, signal } = options;
  const folder = folderOf(options.clip, 'CLIP');
  const loaded = await placement.load('CLIP', (place) => Clip.load({ ...place, folder, verifyHashes, signal }), signal);
  const text = await loaded.embedText(prompt);
  const heard = signal === undefined ? {} : { signal };
  const scored = await scoreClasses(files, 'pictures', options, (names, onPicture) =>
    scorePictures(names, {
      score: async (image) => cosine(await loaded.embedImage(image, heard), text),
      maxPixels,
      signal,
      onPicture,
    }),
  );
  return await partOf({ subject: subjectOf(loaded.manifest), prompt, current }, scored, {
    ...options,
    unsafeIs: 'above',
    what: 'pictures',
  });
}

async function calibrateRewardModel(
  texts: KnownClasses<readonly AnswerText[]>,
  current: Calibrated['current'],
  placement: EvaluatorPlacement,
  options: CalibrateOptions,
): Promise<Part> {
  const { postEvaluationPrompt: prompt, threadCount, verifyHashes, signal } = options;
  const folder = folderOf(options.rewardModel, 'reward model');
  const open: TrunkOpener = (trunk) => openTrunk(trunk, { threadCount, signal });
  const loaded = await placement.load(
    'the reward model',
    (place) => RewardModel.load({ ...place, folder, verifyHashes, signal, openTrunk: open }),
    signal,
  );
  const heard = signal === undefined ? {} : { signal };
  // It reads the answer alone: the same answer to another question is the same.
  const alone = (answers: readonly AnswerText[]) =>
    answers.map(({ name, text }) => ({ name, text, question: null, image: null }));
  const read = { safe: alone(texts.safe), unsafe: texts.unsafe && alone(texts.unsafe) };
  const scored = await scoreClasses(read, 'answers', options, (answers, onAnswer) =>
    scoreAnswers(answers, {
      score: ({ text }) => loaded.score([{ role: 'user', content: prompt }], text, heard),
      signal,
      onAnswer,
    }),
  ).finally(() => loaded.dispose());
  return await partOf({ subject: subjectOf(loaded.manifest), prompt, current }, scored, {
    ...options,
    unsafeIs: 'below',
    what: 'answers',
  });
}

function subjectOf(manifest: ClipManifest | RewardManifest): Subject {
  return { name: manifest.name, sha256: modelDigest(manifest), files: filesOf(manifest) };
}

function folderOf(folder: string | null, what: string): string {
  if (folder !== null) return folder;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected models with a ${what}, received none. Name its folder, or models that have one.`,
  );
}
