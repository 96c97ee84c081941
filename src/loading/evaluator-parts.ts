/** Who judges, loaded when first asked: CLIP, the reward model, or who decides in its place. */
import { Clip } from '../clip/index.js';
import { Guard, SelfDecision } from '../decision/index.js';
import type { Model } from '../engine/index.js';
import { throwIfAborted } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import { type EvaluatorDevice, EvaluatorWorker } from '../onnx/index.js';
import { type Planned, planOf } from '../policy/index.js';
import { RewardModel, type TrunkOpener } from '../reward/index.js';
import type { WorkGroup } from '../work-group.js';
import type { ResolvedDecision } from './decision.js';
import { EvaluatorPlacement } from './evaluator-placement.js';
import { LatePart } from './late-part.js';
import type { LoadProgress } from './load-options.js';
import { askedAtOnce } from './needed-evaluators.js';
import { openGuard } from './open-guard.js';
import { openTrunk } from './open-trunk.js';
import { guarded, type PlacedOptions } from './placed-options.js';

/** Where the evaluators run: a provider of onnxruntime each; null where there is none, or it is not loaded yet. */
export interface EvaluatorDevices {
  /** Of CLIP. */
  readonly clip: Exclude<EvaluatorDevice, 'auto'> | null;
  /** `cpu` for a model whose trunk runs in llama.cpp, beside the language model: its heads do. */
  readonly rewardModel: Exclude<EvaluatorDevice, 'auto'> | null;
}

/** What is known of the one request that an Eta is opened for. */
export interface FirstRequest {
  readonly hasImages: boolean;
}

interface Disposable {
  dispose(): Promise<void>;
}

/** What they are loaded with. */
export interface EvaluatorPartsOptions {
  readonly models: ResolvedModels;
  readonly options: PlacedOptions;
  /** The language model, once it is there: it may be asked about its own answers. */
  readonly model: () => Promise<Model>;
  /** Gets what is loaded, to free it. */
  readonly keep: (part: Disposable) => void;
}

/** Parts of {@link LoadedParts}, which frees them. */
export class EvaluatorParts {
  readonly clip: LatePart<Clip> | null;
  readonly rewardModel: LatePart<RewardModel> | null;
  /** Judges in the reward model's place. */
  readonly decision: LatePart<Guard | SelfDecision> | null;
  /** Whether the language model judges its own answers. */
  readonly isSelf: boolean;
  /** The thread of CLIP and the reward model. */
  readonly #placement: LatePart<EvaluatorPlacement>;
  readonly #end = new AbortController();
  readonly #options: PlacedOptions;
  readonly #keep: EvaluatorPartsOptions['keep'];
  readonly #model: EvaluatorPartsOptions['model'];
  /** Whether those that come with the language model are there, and what is to be said of them was. */
  #isLate = false;
  /** Whether onnxruntime has to be loaded before it is given work: a thread that fails is then none, and the next tries again. */
  #waitsForThread = true;

  constructor({ models, options, model, keep }: EvaluatorPartsOptions) {
    this.#options = options;
    this.#keep = keep;
    this.#model = model;
    const late = <Part>(load: (group: WorkGroup) => Promise<Part>) => new LatePart(load, this.#end.signal);
    this.#placement = late((group) => this.#start(group));
    const { clip, rewardModel } = models;
    this.clip = clip === null ? null : late((group) => this.#clip(clip, group));
    this.rewardModel = rewardModel === null ? null : late((group) => this.#rewardModel(rewardModel, group));
    const { decision } = options;
    this.isSelf = decision?.files === null;
    this.decision = decision === null ? null : late((group) => this.#decision(decision, group));
  }

  /** Where those run that are loaded. */
  get devices(): EvaluatorDevices {
    return {
      clip: this.clip?.loaded?.provider ?? null,
      rewardModel: this.rewardModel?.loaded?.provider ?? null,
    };
  }

  /**
   * Loads whom a method asks in every request; the others wait until they are asked for.
   *
   * @throws what loading them throws; what `onNotice` throws
   */
  async load(policy: Planned, group: WorkGroup): Promise<void> {
    const asked = askedAtOnce(policy);
    const parts = [asked.clip ? this.clip : null, ...(asked.answers ? [this.rewardModel, this.decision] : [])];
    await Promise.all(parts.map((part) => part?.get(group)));
    await this.#tell();
    this.#isLate = true;
  }

  /**
   * Begins with those whom a request asks first, and waits for none: for an Eta that answers one request. What goes wrong is
   * told to the request that asks.
   */
  begin(policy: Planned, { hasImages }: FirstRequest): void {
    this.#waitsForThread = false;
    const { gatesImage, gatesAnswer } = planOf(policy);
    const judge = this.decision ?? this.rewardModel;
    const first = gatesImage && hasImages ? (this.clip ?? this.decision) : gatesAnswer ? judge : null;
    first?.get().catch(() => undefined); // who asks is told
    this.#isLate = true;
  }

  /** Ends what is being loaded, and waits for it. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const part of [this.clip, this.rewardModel, this.decision, this.#placement]) await part?.settled();
  }

  async #start(group: WorkGroup): Promise<EvaluatorPlacement> {
    const { threadCount, evaluatorDevice } = this.#options;
    const worker = EvaluatorWorker.begin(threadCount === undefined ? {} : { threadCount });
    this.#keep(worker);
    const ready = group.start(() => worker.ready);
    if (this.#waitsForThread) await ready; // else its failure is that of the group, which is told first
    return new EvaluatorPlacement(worker, evaluatorDevice);
  }

  async #clip(folder: string, group: WorkGroup): Promise<Clip> {
    const { verifyHashes } = this.#options;
    const begin = this.#beginning('clip', group);
    const placement = await this.#placement.get(group);
    return await begin((signal) =>
      placement.load('CLIP', (place) => Clip.load({ ...place, folder, verifyHashes, signal }), signal),
    );
  }

  async #rewardModel(folder: string, group: WorkGroup): Promise<RewardModel> {
    const { verifyHashes, device, gpuLayerCount, threadCount, probed } = this.#options;
    const begin = this.#beginning('reward-model', group);
    const placement = await this.#placement.get(group);
    return await begin((signal) => {
      // A trunk stands beside the language model, on the same device.
      const open: TrunkOpener = async (trunk) => {
        const probe = probed?.has(trunk.path) === false;
        const opened = await openTrunk(trunk, { device, gpuLayerCount, threadCount, probe, signal });
        probed?.add(trunk.path);
        return opened;
      };
      return placement.load(
        'the reward model',
        (place) => RewardModel.load({ ...place, folder, verifyHashes, signal, openTrunk: open }),
        signal,
      );
    });
  }

  async #decision({ form, files }: ResolvedDecision, group: WorkGroup): Promise<Guard | SelfDecision> {
    const { device, gpuLayerCount, threadCount, probed } = this.#options;
    if (files === null) return await SelfDecision.of(await this.#model(), form, group.signal);
    const onProgress = this.#progress('guard', group);
    return await this.#beginning(
      'guard',
      group,
    )(async (signal) => {
      const probe = probed?.has(files.guard) === false;
      const place = { device, gpuLayerCount, threadCount, probe, signal, onProgress };
      const guard = await Guard.load({ form, ...files, openGuard: (opened) => openGuard(opened, place), signal });
      probed?.add(files.guard);
      return guard;
    });
  }

  /** How one of them is loaded that is asked for now; what came although nobody wants it any more is freed. */
  #beginning(part: LoadProgress['part'], group: WorkGroup) {
    const isLate = this.#isLate;
    const { signal } = group;
    return async <Part extends Disposable>(load: (signal: AbortSignal) => Promise<Part>): Promise<Part> => {
      if (isLate) await this.#options.checkFiles();
      const onProgress = this.#progress(part, group);
      onProgress(0);
      throwIfAborted(signal);
      const loaded = await load(signal);
      onProgress(1);
      try {
        throwIfAborted(signal);
        if (isLate) await this.#tell();
      } catch (error) {
        await loaded.dispose().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
      this.#keep(loaded);
      return loaded;
    };
  }

  async #tell(): Promise<void> {
    for (const notice of this.#placement.loaded?.takeNotices() ?? []) await this.#options.onNotice(notice);
  }

  #progress(part: LoadProgress['part'], group: WorkGroup): (fraction: number) => void {
    const tell = guarded(this.#options.onProgress, group);
    return (fraction) => tell({ part, fraction });
  }
}
