/** ETA, ready to answer. */
import { z } from 'zod';
import { followAbort, signalSchema } from '../abort.js';
import { type ContextStatistics, deriveSeed, randomSeed } from '../engine/index.js';
import { throwIfAborted, UsageError } from '../errors.js';
import { takeSource } from '../image/index.js';
import { type DecisionFacts, type EvaluatorDevices, type LoadedParts, missingEvaluator } from '../loading/index.js';
import type { ResolvedModels } from '../models/index.js';
import { parseOptions, reading } from '../options.js';
import { checkThresholds, type EvaluatorsInForce, type Policy, type ThresholdsInForce } from '../policy/index.js';
import type { EtaEvent, EtaResult, Notice } from '../types.js';
import { EventStream } from './event-stream.js';
import { type Emit, type PipelineParts, runPipeline } from './pipeline.js';
import { type CheckedRequest, type EtaRequest, parseRequest } from './request.js';
import type { ResidentParts } from './resident-parts.js';

/** What is loaded, and what is made of it once a load. */
export type EtaParts = LoadedParts & Pick<PipelineParts, 'sentenceEnds'>;

const streamSchema = z.strictObject({ signal: signalSchema.optional() });

/** What `stream` takes beside the request. */
export interface StreamOptions {
  /** Ends the request with an AbortError; takes the place of the request's own. */
  signal?: AbortSignal | undefined;
}

/** What an Eta was loaded as. */
export interface EtaFacts extends ThresholdsInForce {
  /** What decides, thresholds apart: the policy, with the options that were named in their place. */
  readonly policy: Policy;
  /** Which files answer. */
  readonly models: ResolvedModels;
  /** Who judges answers in the reward model's place; null where none was named. */
  readonly decision: DecisionFacts | null;
  /** Who judges. */
  readonly evaluators: EvaluatorsInForce;
  /** KV cells of the context, as they were asked for; llama.cpp rounds them up to a multiple of 256. */
  readonly contextSize: number;
  /** Number format of the KV cells. */
  readonly cacheType: 'f32' | 'f16' | 'q8_0';
  /** Whether requests leave what they read for later ones. */
  readonly reuse: boolean;
  /** Where the evaluators run, as they were loaded last; null for one that nobody has asked yet. */
  readonly evaluatorDevices: EvaluatorDevices;
}

/** Of a context that is not there. */
const NO_STATISTICS: ContextStatistics = {
  usedCellCount: 0,
  liveSequenceCount: 0,
  keptCellCount: 0,
  keptSequenceCount: 0,
  imageCount: 0,
  stepCount: 0,
  rowCount: 0,
  forkCount: 0,
  decodeMs: 0,
  sampleMs: 0,
  threadCount: 0,
};

/** Made by `loadEta`; several may live at once. */
export class Eta {
  #facts: EtaFacts;
  readonly #resident: ResidentParts<EtaParts>;
  readonly #onNotice: ((notice: Notice) => void) | null;
  /** Requests under way, each with what ends it. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #disposed: Promise<void> | undefined;

  /** Not for callers: `loadEta` makes it. */
  constructor(resident: ResidentParts<EtaParts>, facts: EtaFacts, onNotice: ((notice: Notice) => void) | null) {
    this.#facts = frozen(facts);
    this.#resident = resident;
    this.#onNotice = onNotice;
  }

  /** What it was loaded as: policy, thresholds, files. They stay through every unloading. */
  get facts(): EtaFacts {
    return this.#facts;
  }

  /** Whether the models are in memory; false between an unloading and the end of the next load. */
  get isLoaded(): boolean {
    return this.#resident.isLoaded;
  }

  /**
   * Answers one request. Requests run side by side as far as the context has room, the others wait their turn.
   *
   * @throws UsageError for a wrong request, ERR_PROMPT_TOO_LONG, or ERR_DISPOSED when {@link dispose} came first;
   * ImageError; AbortError within one step of the signal; EngineError; EvaluatorError. Its sequences are freed each way.
   * Where the models were unloaded, or it is the first that asks an evaluator, it waits for them, and throws what `loadEta`
   * does; the next tries again.
   */
  async respond(request: EtaRequest): Promise<EtaResult> {
    return await this.#run(this.#parse(request), new AbortController(), () => undefined);
  }

  /**
   * Answers one request and tells how it goes: see {@link EtaEvent}. Work begins with the first event asked for; leaving
   * the loop aborts it and frees its sequences.
   *
   * @throws as {@link respond}; a wrong request at once
   */
  stream(request: EtaRequest, options?: StreamOptions): AsyncGenerator<EtaEvent, void, void> {
    const { signal } = parseOptions(streamSchema, options, 'stream options');
    return this.#stream(this.#parse(request, signal));
  }

  /** Cells, sequences and steps of the context, counted anew with every load; all 0 while nothing is loaded. */
  async statistics(): Promise<ContextStatistics> {
    this.#checkOpen();
    return (await this.#resident.look(({ context }) => context.statistics())) ?? NO_STATISTICS;
  }

  /**
   * Lets go of what requests left for later ones: prompts and answers in the KV cache, encoded pictures, CLIP's embeddings,
   * what a guard read.
   *
   * @throws UsageError ERR_DISPOSED
   */
  async forget(): Promise<void> {
    this.#checkOpen();
    await this.#resident.look(async ({ context, images, evaluators }) => {
      context.forget();
      images.clear();
      evaluators.clip?.loaded?.forget();
      const decision = evaluators.decision?.loaded;
      if (decision?.kind === 'guard') decision.forget();
    });
  }

  /**
   * Frees models and evaluators now, as `idleUnloadMs` does after a while; the next request loads them again.
   *
   * @returns false where a request or a look at `statistics()` is under way: then nothing is freed
   * @throws UsageError ERR_DISPOSED; what freeing throws
   */
  async unload(): Promise<boolean> {
    this.#checkOpen();
    return await this.#resident.unload();
  }

  /** Ends every request with ERR_DISPOSED, then frees models and threads. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #end(): Promise<void> {
    const running = [...this.#running];
    for (const [, controller] of running) controller.abort(disposed());
    await Promise.allSettled(running.map(([work]) => work));
    await this.#resident.dispose();
  }

  /** @param signal takes the place of the request's */
  #parse(request: EtaRequest, signal?: AbortSignal): CheckedRequest {
    this.#checkOpen();
    return reading('ERR_INVALID_REQUEST', 'request', () => {
      const checked = parseRequest(request, { ...this.#facts, newSeed: randomSeed });
      this.#checkMethod(checked);
      return {
        ...checked,
        signal: signal ?? checked.signal,
        turns: checked.turns.map((turn) => ({ ...turn, images: turn.images?.map(takeSource) ?? [] })),
      };
    });
  }

  async *#stream(request: CheckedRequest): AsyncGenerator<EtaEvent, void, void> {
    this.#checkOpen();
    const controller = new AbortController();
    const stream = new EventStream<EtaEvent>();
    const work = this.#run(request, controller, (event) => stream.push(event)).then(
      () => stream.end(),
      (error: unknown) => stream.end({ error }),
    );
    try {
      yield* stream.events();
    } finally {
      controller.abort();
      await work;
    }
  }

  async #run(request: CheckedRequest, controller: AbortController, emit: Emit): Promise<EtaResult> {
    const { signal } = request;
    throwIfAborted(signal);
    const takeBack = followAbort(signal, controller);
    const work = this.#resident.use(controller.signal, async (parts) => {
      try {
        return await runPipeline({ ...parts, deriveSeed, onNotice: this.#onNotice }, request, controller.signal, emit);
      } finally {
        this.#noteDevices(parts);
      }
    });
    this.#running.set(work, controller);
    try {
      return await work;
    } catch (error) {
      throw this.#disposed === undefined ? error : disposed();
    } finally {
      this.#running.delete(work);
      takeBack();
    }
  }

  /** A method that judges needs who judges: see {@link checkEvaluators}; here for the method of one request. */
  #checkMethod({ policy, thresholds, turns }: CheckedRequest): void {
    const { evaluators } = this.#facts;
    const hasImages = turns.some(({ images = [] }) => images.length > 0);
    const missing = missingEvaluator(evaluators, policy.method, hasImages);
    if (missing === null) {
      checkThresholds(thresholds, { method: policy.method, hasImages, evaluators });
      return;
    }
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `request: expected method 'vanilla', because no ${missing === 'clip' ? 'CLIP' : 'reward model'} was loaded, received '${policy.method}'. ` +
        `Load with models.${missing}. Or ask with method: 'vanilla'.${evaluators.answers === 'decision' ? " Or with method: 'post', which judges answers alone." : ''}`,
    );
  }

  /** A device that was there may be gone when the evaluators are loaded again, or back; others are loaded late. */
  #noteDevices({ evaluators: { devices } }: EtaParts): void {
    const known = this.#facts.evaluatorDevices;
    const clip = devices.clip ?? known.clip;
    const rewardModel = devices.rewardModel ?? known.rewardModel;
    if (clip === known.clip && rewardModel === known.rewardModel) return;
    this.#facts = frozen({ ...this.#facts, evaluatorDevices: { clip, rewardModel } });
  }

  #checkOpen(): void {
    if (this.#disposed !== undefined) throw disposed();
  }
}

/** A copy that nobody changes: every request falls back to it. */
function frozen(facts: EtaFacts): EtaFacts {
  const copy = structuredClone(facts);
  for (const part of Object.values(copy)) Object.freeze(part);
  return Object.freeze(copy);
}

function disposed(): UsageError {
  return new UsageError('ERR_DISPOSED', 'Expected a loaded Eta, received one that was disposed of. Load it again.');
}
