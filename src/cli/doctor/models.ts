/** The models that the package knows: their files, whether those are what they were, and whether they load. */
import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { throwIfAborted } from '../../errors.js';
import { registeredModels, resolveModels } from '../../models/index.js';
import { POLICIES } from '../../policy/policy.js';
import { readRegularText } from '../../regular-file.js';
import type { CalibratedOn } from '../../types/thresholds.js';
import { compare, type HashVerdict, hashesOfCard } from '../card-hashes.js';
import { modelChoice } from '../chosen-models.js';

interface ModelFileFacts {
  readonly path: string;
  readonly sizeBytes: number;
  /** `unchecked` without --verify. */
  readonly hash: HashVerdict | 'unchecked';
}

export interface ModelsFacts {
  readonly name: string;
  readonly description: string;
  readonly files: readonly ModelFileFacts[];
  /** Why they cannot be used, or null. */
  readonly problem: string | null;
}

interface ThresholdRun {
  readonly name: string;
  readonly source: string;
  /** Which classes its threshold was measured on; null: on none. */
  readonly calibratedOn: CalibratedOn | null;
}

/** What runs where, of the default models. */
export interface ModelsRun {
  readonly languageModel: {
    readonly description: string;
    readonly layerCount: number;
    readonly sizeBytes: number;
    readonly hasVision: boolean;
    readonly threadCount: number;
    /** Whether a step may get fewer. */
    readonly measuresThreads: boolean;
  };
  /** `source` of a threshold: "manifest", or the file of thresholds in the model's folder. */
  readonly clip: (ThresholdRun & { readonly unsafeClipScore: number | null }) | null;
  readonly rewardModel: (ThresholdRun & { readonly safeReward: number | null }) | null;
  readonly evaluatorThreadCount: number;
  readonly loadMs: number;
}

/** The models that loadEta takes when nobody named any. */
const DEFAULT_MODELS = 'miniature';

interface ExamineModelsOptions {
  readonly verifiesHashes: boolean;
  readonly signal: AbortSignal;
}

export async function examineModels(options: ExamineModelsOptions): Promise<ModelsFacts[]> {
  const facts: ModelsFacts[] = [];
  for (const { name, description, folder } of await registeredModels()) {
    try {
      const { languageModel, projector, clip, rewardModel } = await resolveModels(name);
      const card = await hashesOfCard(folder);
      const expected: ExpectedFile[] = [languageModel, projector].flatMap((path) => (path === null ? [] : [{ path }]));
      for (const part of [clip, rewardModel]) if (part !== null) expected.push(...(await filesOf(part)));
      const files: ModelFileFacts[] = [];
      for (const { path, sha256 = card.get(path) } of expected) {
        throwIfAborted(options.signal);
        const { size } = await stat(path);
        const hash = options.verifiesHashes ? await compare(path, sha256) : 'unchecked';
        files.push({ path: relative(process.cwd(), path), sizeBytes: size, hash });
      }
      facts.push({ name, description, files, problem: null });
    } catch (error) {
      throwIfAborted(options.signal);
      facts.push({ name, description, files: [], problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return facts;
}

interface ExpectedFile {
  readonly path: string;
  /** Of the manifest; what no manifest names, the model card does. */
  readonly sha256?: string;
}

/** The manifest of a folder and the files it names, by absolute path. */
async function filesOf(folder: string): Promise<ExpectedFile[]> {
  const path = join(folder, 'manifest.json');
  const manifest: unknown = JSON.parse(await readRegularText(path));
  const { files } = manifest as { files: Readonly<Record<string, ExpectedFile | readonly ExpectedFile[]>> };
  const named = Object.values(files).flat();
  return [{ path }, ...named.map((file) => ({ path: resolve(folder, file.path), sha256: file.sha256 }))];
}

/**
 * Loads the default models as an answer does, self-tests included, and lets them go.
 *
 * @throws what the loaders throw
 */
export async function tryModels(signal: AbortSignal): Promise<ModelsRun> {
  const [{ Model }, { Clip }, { EvaluatorWorker }, { RewardModel }, { thresholdsOf }] = await Promise.all([
    import('../../engine/index.js'),
    import('../../clip/index.js'),
    import('../../onnx/index.js'),
    import('../../reward/index.js'),
    import('../../loading/index.js'),
  ]);
  const models = await resolveModels(modelChoice() ?? DEFAULT_MODELS);
  const { languageModel, projector, clip, rewardModel } = models;
  const { thresholds, thresholdSources: sources, calibratedOn: on } = await thresholdsOf(models, {}, POLICIES.standard);
  const startedAt = performance.now();
  const worker = await EvaluatorWorker.start();
  try {
    await using model = await Model.load({ modelPath: languageModel, projectorPath: projector ?? undefined, signal });
    const eye = clip === null ? null : (await Clip.load({ worker, folder: clip, signal })).manifest;
    const reader =
      rewardModel === null ? null : (await RewardModel.load({ worker, folder: rewardModel, signal })).manifest;
    const { description, layerCount, sizeBytes, hasVision } = model.facts;
    const { threadCount, measuresThreads } = model;
    return {
      languageModel: { description, layerCount, sizeBytes, hasVision, threadCount, measuresThreads },
      clip: eye && {
        name: eye.name,
        unsafeClipScore: thresholds.unsafeClipScore,
        source: sources.unsafeClipScore,
        calibratedOn: on.unsafeClipScore,
      },
      rewardModel: reader && {
        name: reader.name,
        safeReward: thresholds.safeReward,
        source: sources.safeReward,
        calibratedOn: on.safeReward,
      },
      evaluatorThreadCount: worker.threadCount,
      loadMs: performance.now() - startedAt,
    };
  } finally {
    await worker.dispose();
  }
}
