/** ETA, ready to answer. */
import { z } from 'zod';
import { followAbort, signalSchema } from '../abort.js';
import { deriveSeed, type NativeContextStatistics, randomSeed } from '../engine/index.js';
import { throwIfAborted, UsageError } from '../errors.js';
import { takeSource } from '../image/index.js';
import {
  checkEvaluators,
  gpuLayersThatFit,
  type LoadEtaOptions,
  type LoadedParts,
  loadParts,
  loadSchema,
  thresholdsOf,
} from '../loading/index.js';
import { type ResolvedModels, resolveModels } from '../models/index.js';
import { parseOptions, reading } from '../options.js';
import {
  checkThresholds,
  METHOD_PLANS,
  overridePolicy,
  POLICIES,
  type Policy,
  type ThresholdsInForce,
} from '../policy/index.js';
import type { EtaEvent, EtaResult, Notice } from '../types.js';
import { SentenceEnds } from './align.js';
import { EventStream } from './event-stream.js';
import { warnOnce } from './notice.js';
import { type Emit, type PipelineParts, runPipeline } from './pipeline.js';
import { type CheckedRequest, type EtaRequest, parseRequest } from './request.js';

/**
 * Loads language model, projector, CLIP and reward model. Nothing is fetched: every file must be there.
 *
 * @param options all optional; without any, the shipped miniature with our policy
 * @throws UsageError for a wrong option; ModelError for files that are missing, damaged or do not fit together, and
 * ERR_MEMORY for models that need more memory than is free; EngineError ERR_ADDON_NOT_FOUND, ERR_CONTEXT; EvaluatorError; AbortError. What was loaded by then is freed.
 */
export async function loadEta(options?: LoadEtaOptions): Promise<Eta> {
  const parsed = parseOptions(loadSchema, options, 'loadEta options');
  const policy = overridePolicy(POLICIES[parsed.policy], parsed);
  const models = await resolveModels(parsed.models ?? 'miniature');
  checkEvaluators(models, policy.method);
  const inForce = await thresholdsOf(models, parsed, policy);
  checkThresholds(inForce.thresholds, { method: policy.method, hasImages: models.clip !== null });
  const gpuLayerCount = await gpuLayersThatFit(models, parsed);
  const parts = await loadParts(models, { ...parsed, gpuLayerCount });
  const onNotice = parsed.models === undefined ? (parsed.onNotice ?? warnOnce()) : null;
  const { contextSize, cacheType = 'f16' } = parsed;
  return new Eta(parts, { policy, ...inForce, models, contextSize, cacheType }, onNotice);
}

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
  /** KV cells of the context, as they were asked for; llama.cpp rounds them up to a multiple of 256. */
  readonly contextSize: number;
  /** Number format of the KV cells. */
  readonly cacheType: 'f32' | 'f16' | 'q8_0';
}

/** Made by {@link loadEta}; several may live at once. */
export class Eta {
  /** What it was loaded as: policy, thresholds, files. */
  readonly facts: EtaFacts;
  readonly #loaded: LoadedParts;
  readonly #parts: PipelineParts;
  /** Requests under way, each with what ends it. */
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #disposed: Promise<void> | undefined;

  /** Not for callers: {@link loadEta} makes it. */
  constructor(loaded: LoadedParts, facts: EtaFacts, onNotice: ((notice: Notice) => void) | null) {
    this.facts = frozen(facts);
    this.#loaded = loaded;
    this.#parts = {
      model: loaded.model,
      context: loaded.context,
      clip: loaded.clip,
      rewardModel: loaded.rewardModel,
      sentenceEnds: new SentenceEnds(loaded.model, loaded.context),
      deriveSeed,
      onNotice,
    };
  }

  /**
   * Answers one request. Requests run side by side as far as the context has room, the others wait their turn.
   *
   * @throws UsageError for a wrong request, ERR_PROMPT_TOO_LONG, or ERR_DISPOSED when {@link dispose} came first;
   * ImageError; AbortError within one step of the signal; EngineError; EvaluatorError. Its sequences are freed each way.
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

  /** Cells, sequences and steps of the context. */
  async statistics(): Promise<NativeContextStatistics> {
    this.#checkOpen();
    return await this.#loaded.context.statistics();
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
    await this.#loaded.dispose();
  }

  /** @param signal takes the place of the request's */
  #parse(request: EtaRequest, signal?: AbortSignal): CheckedRequest {
    this.#checkOpen();
    return reading('ERR_INVALID_REQUEST', 'request', () => {
      const checked = parseRequest(request, { ...this.facts, newSeed: randomSeed });
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
    const work = runPipeline(this.#parts, request, controller.signal, emit);
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
    const plan = METHOD_PLANS[policy.method];
    if (!plan.gatesImage && !plan.gatesAnswer) return;
    const hasImages = turns.some(({ images = [] }) => images.length > 0);
    const missing =
      this.#loaded.rewardModel === null ? 'rewardModel' : hasImages && this.#loaded.clip === null ? 'clip' : null;
    if (missing === null) {
      checkThresholds(thresholds, { method: policy.method, hasImages });
      return;
    }
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `request: expected method 'vanilla', because no ${missing === 'clip' ? 'CLIP' : 'reward model'} was loaded, received '${policy.method}'. ` +
        `Load with models.${missing}. Or ask with method: 'vanilla'.`,
    );
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
