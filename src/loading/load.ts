/** Loading everything that ETA works with, and taking all of it back when one part fails. */
import { type Context, EncodedImages, Model, returnMemory } from '../engine/index.js';
import { throwIfAborted } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import type { Planned } from '../policy/index.js';
import { WorkGroup } from '../work-group.js';
import { EvaluatorParts, type FirstRequest } from './evaluator-parts.js';
import { guarded, type PlacedOptions } from './placed-options.js';
import { steeredContext } from './safety-vector.js';

/** Parts that are loaded; `dispose` frees them in the order of their dependence. */
export interface LoadedParts {
  readonly model: Model;
  readonly context: Context;
  /** Under the safety vector; null where none was named. */
  readonly steered: Context | null;
  /** Pictures for it, kept for later requests. */
  readonly images: EncodedImages;
  readonly evaluators: EvaluatorParts;
  dispose(): Promise<void>;
}

type Closers = (() => Promise<void>)[];

/**
 * Language model and evaluators load side by side; when one fails, the other is stopped and what was loaded is freed.
 *
 * @param method whose evaluators are loaded with it; those that only others ask are loaded when they are first asked
 * @param first of the one request that is waited for: then evaluators are begun, and not waited for
 */
export async function loadParts(
  models: ResolvedModels,
  policy: Planned,
  options: PlacedOptions,
  first: FirstRequest | null,
): Promise<LoadedParts> {
  const closers: Closers = [];
  const group = new WorkGroup(options.signal ?? new AbortController().signal);
  const engine = group.start(() => loadEngine(models, options, group, closers));
  const evaluators = new EvaluatorParts({
    models,
    options,
    model: async () => (await engine).model,
    keep: (part) => closers.push(() => part.dispose()),
  });
  const dispose = async () => {
    await evaluators.close();
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
    await returnMemory();
    if (failures.length > 0) throw failures[0]; // the others are freed all the same
  };
  try {
    if (first !== null) evaluators.begin(policy, first);
    const judging = first === null ? group.start(() => evaluators.load(policy, group)) : null;
    const loaded = await group.result(engine);
    if (judging !== null) await group.result(judging);
    return { ...loaded, evaluators, dispose };
  } catch (error) {
    await group.close(); // nothing may be loaded any more when the rest is freed
    await dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  } finally {
    await group.close();
  }
}

async function loadEngine(
  models: ResolvedModels,
  options: PlacedOptions,
  group: WorkGroup,
  closers: Closers,
): Promise<Pick<LoadedParts, 'model' | 'context' | 'steered' | 'images'>> {
  const { device, gpuLayerCount, threadCount, probed, conversationForm } = options;
  const { signal } = group;
  const onProgress = guarded(options.onProgress, group);
  const model = await Model.load({
    modelPath: models.languageModel,
    projectorPath: models.projector ?? undefined,
    device,
    gpuLayerCount,
    threadCount,
    probe: probed?.has(models.languageModel) === false,
    conversationForm,
    signal,
    onProgress: (fraction) => onProgress({ part: 'language-model', fraction }),
  });
  probed?.add(models.languageModel);
  closers.push(() => model.dispose());
  const { contextSize, sequenceCount, batchSize, cacheType, flashAttention } = options;
  const asked = { contextSize, sequenceCount, batchSize, cacheType, flashAttention };
  const context = await model.createContext(asked);
  closers.push(() => context.dispose());
  const { safetyVector } = options;
  const steered = safetyVector && (await steeredContext(model, safetyVector, { context, options: asked, signal }));
  if (steered !== null) closers.push(() => steered.dispose());
  const images = new EncodedImages(model);
  closers.push(async () => images.dispose());
  throwIfAborted(signal);
  return { model, context, steered, images };
}
