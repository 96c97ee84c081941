/** Loading everything that ETA works with, and taking all of it back when one part fails. */

import { Clip } from '../clip/index.js';
import { type Context, Model } from '../engine/index.js';
import { ModelError, throwIfAborted } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import { EvaluatorWorker } from '../onnx/index.js';
import { METHOD_PLANS, type Policy } from '../policy/index.js';
import { RewardModel } from '../reward/index.js';
import { WorkGroup } from '../work-group.js';
import type { ParsedLoadOptions } from './load-options.js';
import { openTrunk } from './open-trunk.js';

/** Parts that are loaded; `dispose` frees them in the order of their dependence. */
export interface LoadedParts {
  readonly model: Model;
  readonly context: Context;
  readonly clip: Clip | null;
  readonly rewardModel: RewardModel | null;
  dispose(): Promise<void>;
}

const EVALUATOR_NAMES = { rewardModel: 'reward model', clip: 'CLIP' } as const;

/**
 * Every method but `vanilla` needs a reward model, and CLIP where the model takes pictures: refused here, because an
 * answer that nobody evaluated must not pass for a safe one.
 */
export function checkEvaluators(models: ResolvedModels, method: Policy['method']): void {
  const plan = METHOD_PLANS[method];
  if (!plan.gatesImage && !plan.gatesAnswer) return;
  const isGateless = models.clip === null && models.projector !== null;
  const missing = models.rewardModel === null ? 'rewardModel' : isGateless ? 'clip' : null;
  if (missing === null) return;
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected a ${EVALUATOR_NAMES[missing]} for method '${method}', received none. ` +
      `Name its folder in models.${missing}. Or load with method: 'vanilla', for answers that nobody evaluates.`,
  );
}

/** Options with the place of the language model's layers decided. */
type PlacedOptions = Omit<ParsedLoadOptions, 'gpuLayerCount'> & { readonly gpuLayerCount: number };

/** Language model and evaluators load side by side; when one fails, the other is stopped and what was loaded is freed. */
export async function loadParts(models: ResolvedModels, options: PlacedOptions): Promise<LoadedParts> {
  const closers: Closers = [];
  const dispose = async () => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0]; // the others are freed all the same
  };
  const group = new WorkGroup(options.signal ?? new AbortController().signal);
  const watched = { ...options, signal: group.signal, onProgress: guarded(options.onProgress, group) };
  try {
    const engine = group.start(() => loadEngine(models, watched, closers));
    const evaluators = group.start(() => loadEvaluators(models, watched, closers));
    return { ...(await group.result(engine)), ...(await group.result(evaluators)), dispose };
  } catch (error) {
    await group.close(); // nothing may be loaded any more when the rest is freed
    await dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    await group.close();
  }
}

/** A callback that throws fails the load; it may be called from where an exception would end the process. */
function guarded(onProgress: ParsedLoadOptions['onProgress'], group: WorkGroup): ParsedLoadOptions['onProgress'] {
  if (onProgress === undefined) return undefined;
  return (progress) => {
    try {
      group.watch(onProgress(progress));
    } catch (error) {
      group.fail(error);
    }
  };
}

type Closers = (() => Promise<void>)[];

async function loadEngine(
  models: ResolvedModels,
  options: PlacedOptions,
  closers: Closers,
): Promise<{ model: Model; context: Context }> {
  const { device, gpuLayerCount, threadCount, signal, onProgress } = options;
  const model = await Model.load({
    modelPath: models.languageModel,
    projectorPath: models.projector ?? undefined,
    device,
    gpuLayerCount,
    threadCount,
    signal,
    onProgress: (fraction) => onProgress?.({ part: 'language-model', fraction }),
  });
  closers.push(() => model.dispose());
  const { contextSize, sequenceCount, batchSize, cacheType, flashAttention } = options;
  const context = await model.createContext({ contextSize, sequenceCount, batchSize, cacheType, flashAttention });
  closers.push(() => context.dispose());
  throwIfAborted(signal);
  return { model, context };
}

async function loadEvaluators(
  models: ResolvedModels,
  options: PlacedOptions,
  closers: Closers,
): Promise<{ clip: Clip | null; rewardModel: RewardModel | null }> {
  const { device, gpuLayerCount, threadCount, verifyHashes, signal, onProgress } = options;
  if (models.clip === null && models.rewardModel === null) return { clip: null, rewardModel: null };
  throwIfAborted(signal);
  const worker = await EvaluatorWorker.start(threadCount === undefined ? {} : { threadCount });
  closers.push(() => worker.dispose());
  const load = async <Loaded extends Clip | RewardModel>(
    folder: string | null,
    part: 'clip' | 'reward-model',
    start: (folder: string) => Promise<Loaded>,
  ): Promise<Loaded | null> => {
    if (folder === null) return null;
    throwIfAborted(signal);
    onProgress?.({ part, fraction: 0 });
    const loaded = await start(folder);
    closers.push(() => loaded.dispose());
    throwIfAborted(signal);
    onProgress?.({ part, fraction: 1 });
    return loaded;
  };
  const clip = await load(models.clip, 'clip', (folder) => Clip.load({ worker, folder, verifyHashes, signal }));
  // A trunk stands beside the language model, on the same device.
  const place = { device, gpuLayerCount, threadCount, signal };
  const rewardModel = await load(models.rewardModel, 'reward-model', (folder) =>
    RewardModel.load({ worker, folder, verifyHashes, signal, openTrunk: (trunk) => openTrunk(trunk, place) }),
  );
  return { clip, rewardModel };
}
