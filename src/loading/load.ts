/** Loading everything that ETA works with, and taking all of it back when one part fails. */

import { Clip } from '../clip/index.js';
import { Guard, SelfDecision } from '../decision/index.js';
import { type Context, EncodedImages, Model, returnMemory } from '../engine/index.js';
import { ModelError, throwIfAborted } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import { type EvaluatorDevice, EvaluatorWorker } from '../onnx/index.js';
import { type EvaluatorsInForce, METHOD_PLANS, type Policy } from '../policy/index.js';
import { RewardModel } from '../reward/index.js';
import type { Notice } from '../types.js';
import { WorkGroup } from '../work-group.js';
import type { ResolvedDecision } from './decision.js';
import { type EvaluatorPlace, EvaluatorPlacement } from './evaluator-placement.js';
import type { ParsedLoadOptions } from './load-options.js';
import { openGuard } from './open-guard.js';
import { openTrunk } from './open-trunk.js';

/** Parts that are loaded; `dispose` frees them in the order of their dependence. */
export interface LoadedParts {
  readonly model: Model;
  readonly context: Context;
  /** Pictures for it, kept for later requests. */
  readonly images: EncodedImages;
  readonly clip: Clip | null;
  readonly rewardModel: RewardModel | null;
  /** Judges in the reward model's place. */
  readonly decision: Guard | SelfDecision | null;
  /** What is to be said of where they run. */
  readonly notices: readonly Notice[];
  dispose(): Promise<void>;
}

/** Where the evaluators run: a provider of onnxruntime each; null where there is none. */
export interface EvaluatorDevices {
  /** Of CLIP. */
  readonly clip: Exclude<EvaluatorDevice, 'auto'> | null;
  /** `cpu` for a model whose trunk runs in llama.cpp, beside the language model: its heads do. */
  readonly rewardModel: Exclude<EvaluatorDevice, 'auto'> | null;
}

export function evaluatorDevicesOf({ clip, rewardModel }: Pick<LoadedParts, 'clip' | 'rewardModel'>): EvaluatorDevices {
  return { clip: clip?.provider ?? null, rewardModel: rewardModel?.provider ?? null };
}

const EVALUATOR_NAMES = { rewardModel: 'reward model', clip: 'CLIP' } as const;

/**
 * Whom a method would ask and nobody has named. A decision alone can judge answers about pictures that nobody judges: the
 * reward model's search compares with them.
 *
 * @param hasImages whether there may be pictures
 */
export function missingEvaluator(
  { pictures, answers }: EvaluatorsInForce,
  method: Policy['method'],
  hasImages: boolean,
): keyof typeof EVALUATOR_NAMES | null {
  const { gatesImage, gatesAnswer } = METHOD_PLANS[method];
  if (!gatesImage && !gatesAnswer) return null;
  if (answers === null) return 'rewardModel';
  return hasImages && pictures === null && (gatesImage || answers === 'reward') ? 'clip' : null;
}

/**
 * Every method but `vanilla` needs who judges answers, and pictures where the model takes them: refused here, because an
 * answer that nobody evaluated must not pass for a safe one.
 */
export function checkEvaluators(models: ResolvedModels, method: Policy['method'], evaluators: EvaluatorsInForce): void {
  const missing = missingEvaluator(evaluators, method, models.projector !== null);
  if (missing === null) return;
  const alone = evaluators.answers === 'decision' ? " Or with method: 'post', which judges answers alone." : '';
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected a ${EVALUATOR_NAMES[missing]} for method '${method}', received none. ` +
      `Name its folder in models.${missing}. Or load with method: 'vanilla', for answers that nobody evaluates.${alone}`,
  );
}

/** Options with the place of the language model's layers decided. */
type PlacedOptions = Omit<ParsedLoadOptions, 'gpuLayerCount' | 'decision'> & {
  readonly gpuLayerCount: number;
  readonly decision: ResolvedDecision | null;
};

/** Language model and evaluators load side by side; when one fails, the other is stopped and what was loaded is freed. */
export async function loadParts(models: ResolvedModels, options: PlacedOptions): Promise<LoadedParts> {
  const closers: Closers = [];
  const dispose = async () => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
    await returnMemory();
    if (failures.length > 0) throw failures[0]; // the others are freed all the same
  };
  const group = new WorkGroup(options.signal ?? new AbortController().signal);
  const watched = { ...options, signal: group.signal, onProgress: guarded(options.onProgress, group) };
  try {
    const engine = group.start(() => loadEngine(models, watched, closers));
    const evaluators = group.start(() => loadEvaluators(models, watched, closers));
    const decision = group.start(() => loadDecision(watched, engine, closers));
    return {
      ...(await group.result(engine)),
      ...(await group.result(evaluators)),
      decision: await group.result(decision),
      dispose,
    };
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
): Promise<Pick<LoadedParts, 'model' | 'context' | 'images'>> {
  const { device, gpuLayerCount, threadCount, probe, signal, onProgress } = options;
  const model = await Model.load({
    modelPath: models.languageModel,
    projectorPath: models.projector ?? undefined,
    device,
    gpuLayerCount,
    threadCount,
    probe,
    signal,
    onProgress: (fraction) => onProgress?.({ part: 'language-model', fraction }),
  });
  closers.push(() => model.dispose());
  const { contextSize, sequenceCount, batchSize, cacheType, flashAttention } = options;
  const context = await model.createContext({ contextSize, sequenceCount, batchSize, cacheType, flashAttention });
  closers.push(() => context.dispose());
  const images = new EncodedImages(model);
  closers.push(async () => images.dispose());
  throwIfAborted(signal);
  return { model, context, images };
}

async function loadEvaluators(
  models: ResolvedModels,
  options: PlacedOptions,
  closers: Closers,
): Promise<Pick<LoadedParts, 'clip' | 'rewardModel' | 'notices'>> {
  const { device, gpuLayerCount, threadCount, probe, evaluatorDevice, verifyHashes, signal, onProgress } = options;
  if (models.clip === null && models.rewardModel === null) return { clip: null, rewardModel: null, notices: [] };
  throwIfAborted(signal);
  const worker = await EvaluatorWorker.start(threadCount === undefined ? {} : { threadCount });
  closers.push(() => worker.dispose());
  const placement = new EvaluatorPlacement(worker, evaluatorDevice);
  const load = async <Loaded extends Clip | RewardModel>(
    folder: string | null,
    part: 'clip' | 'reward-model',
    start: (place: EvaluatorPlace & { readonly folder: string }) => Promise<Loaded>,
  ): Promise<Loaded | null> => {
    if (folder === null) return null;
    throwIfAborted(signal);
    onProgress?.({ part, fraction: 0 });
    const name = part === 'clip' ? 'CLIP' : 'the reward model';
    const loaded = await placement.load(name, (place) => start({ folder, ...place }), signal);
    closers.push(() => loaded.dispose());
    throwIfAborted(signal);
    onProgress?.({ part, fraction: 1 });
    return loaded;
  };
  const clip = await load(models.clip, 'clip', (place) => Clip.load({ ...place, verifyHashes, signal }));
  // A trunk stands beside the language model, on the same device.
  const trunkPlace = { device, gpuLayerCount, threadCount, probe, signal };
  const rewardModel = await load(models.rewardModel, 'reward-model', (place) =>
    RewardModel.load({ ...place, verifyHashes, signal, openTrunk: (trunk) => openTrunk(trunk, trunkPlace) }),
  );
  return { clip, rewardModel, notices: placement.notices() };
}

/** A guard loads beside the others; the language model is asked once it is there. */
async function loadDecision(
  options: PlacedOptions,
  engine: Promise<{ readonly model: Model }>,
  closers: Closers,
): Promise<Guard | SelfDecision | null> {
  const { decision, device, gpuLayerCount, threadCount, probe, signal, onProgress } = options;
  if (decision === null) return null;
  const { form, files } = decision;
  if (files === null) return await SelfDecision.of((await engine).model, form, signal);
  throwIfAborted(signal);
  const place = {
    device,
    gpuLayerCount,
    threadCount,
    probe,
    signal,
    onProgress: (fraction: number) => onProgress?.({ part: 'guard', fraction }),
  };
  const guard = await Guard.load({ form, ...files, openGuard: (opened) => openGuard(opened, place), signal });
  closers.push(() => guard.dispose());
  throwIfAborted(signal);
  return guard;
}
