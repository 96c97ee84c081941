/** ETA, ready to answer. */
import { z } from 'zod';
import { followAbort, signalSchema } from '../abort.js';
import { type ContextStatistics, deriveSeed, randomSeed } from '../engine/index.js';
import { throwIfAborted, UsageError } from '../errors.js';
import { takeSource } from '../image/index.js';
import { type LoadedParts, missingEvaluator } from '../loading/index.js';
import { parseOptions, reading } from '../options.js';
import { checkSteering, checkThresholds } from '../policy/index.js';
import type { EtaEvent } from '../types/events.js';
import type { Notice } from '../types/notice.js';
import type { ImageSource } from '../types/picture.js';
import type { EtaResult } from '../types/result.js';
import type { Turn } from '../types/turn.js';
import { type DecideParts, runDecide } from './decide.js';
import { type DecideRequest, type DecideResult, parseDecide } from './decide-request.js';
import { runEvaluation } from './evaluate.js';
import { type EvaluateRequest, type EvaluateResult, parseEvaluation } from './evaluate-request.js';
import { EventStream } from './event-stream.js';
import { type EtaFacts, frozen } from './facts.js';
import { runPipeline } from './pipeline.js';
import { type CheckedRequest, type EtaRequest, parseRequest } from './request.js';
import type { Emit, PipelineParts } from './request-run.js';
import type { ResidentParts } from './resident-parts.js';
import { Company, type Sharing } from './sharing.js';

/** What is loaded, and what is made of it once a load. */
export type EtaParts = LoadedParts & Pick<PipelineParts, 'sentenceEnds' | 'files'> & Pick<DecideParts, 'words'>;

const streamSchema = z.strictObject({ signal: signalSchema.optional() });

/** What `stream` takes beside the request. */
export interface StreamOptions {
  /** Ends the request with an AbortError; takes the place of the request's own. */
  signal?: AbortSignal | undefined;
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
  readonly #company = new Company();
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

  /**
   * What the evaluators say of pictures, of an answer, or of both. Nothing is generated; where the language model judges its
   * own answers, it reads this one as if it were.
   *
   * @throws UsageError for a wrong request, and for what nobody that was loaded can judge (ERR_INVALID_REQUEST); ModelError
   * ERR_NO_THRESHOLD; else as {@link respond}
   */
  async evaluate(request: EvaluateRequest): Promise<EvaluateResult> {
    const checked = this.#taken(() => parseEvaluation(request, this.#facts));
    return await this.#work(checked, new AbortController(), (parts, signal) =>
      runEvaluation({ ...parts, onNotice: this.#onNotice }, checked, signal),
    );
  }

  /**
   * Asks the language model questions that yes or no, one of several choices, or a small whole number answers, and tells how
   * likely each answer is. What they are about is read once. Nothing is generated, and no method asks whether it is safe.
   *
   * @throws UsageError for a wrong request, ERR_PROMPT_TOO_LONG; EvaluatorError ERR_NO_DECISION where the model answers none
   * of them; ModelError ERR_MODEL_MISMATCH for one whose vocabulary cannot say the answers; else as {@link respond}
   */
  async decide(request: DecideRequest): Promise<DecideResult> {
    const checked = this.#taken(() => parseDecide(request, this.#facts));
    return await this.#work(checked, new AbortController(), (parts, signal) =>
      runDecide({ ...parts, onNotice: this.#onNotice }, checked, signal),
    );
  }

  /** Cells, sequences and steps of the context, counted anew with every load; all 0 while nothing is loaded. */
  async statistics(): Promise<ContextStatistics> {
    this.#checkOpen();
    return (await this.#resident.look(({ context }) => context.statistics())) ?? NO_STATISTICS;
  }

  /**
   * Lets go of what requests left for later ones: prompts and answers in the KV cache, which pictures files show, encoded
   * pictures, CLIP's embeddings, what a guard read, what a reward model's trunk read of its prompts.
   *
   * @throws UsageError ERR_DISPOSED
   */
  async forget(): Promise<void> {
    this.#checkOpen();
    await this.#resident.look(async (parts) => forgetAll(parts));
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

  /** `await using` calls it at the end of its block: the same as `dispose()`. */
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
    return this.#taken(() => {
      const checked = parseRequest(request, { ...this.#facts, newSeed: randomSeed });
      const { safetyVector, decision } = this.#facts;
      const isSelf = decision !== null && decision.guard === null;
      checkSteering(checked.policy, { hasVector: safetyVector !== null, isSelf }, 'request');
      this.#checkMethod(checked);
      return { ...checked, signal: signal ?? checked.signal };
    });
  }

  /** A checked request, whose pictures are the caller's no more. */
  #taken<Checked extends { readonly turns: readonly Turn[] }>(parse: () => Checked): Checked {
    this.#checkOpen();
    return reading('ERR_INVALID_REQUEST', 'request', () => {
      const checked = parse();
      const taken = (images: readonly ImageSource[] = []) => images.map(takeSource);
      return { ...checked, turns: checked.turns.map((turn) => ({ ...turn, images: taken(turn.images) })) };
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
    return await this.#work(request, controller, (parts, signal) =>
      runPipeline({ ...parts, deriveSeed, onNotice: this.#onNotice }, request, signal, emit),
    );
  }

  /** A request's work on the loaded parts; `controller` ends it. */
  async #work<Result>(
    { signal, ...sharing }: Sharing & { readonly signal: AbortSignal | undefined },
    controller: AbortController,
    run: (parts: EtaParts, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    throwIfAborted(signal);
    const takeBack = followAbort(signal, controller);
    const work = this.#resident.use(controller.signal, async (parts) => {
      const leave = await this.#company.enter(sharing, controller.signal);
      try {
        if (sharing.exact) forgetAll(parts);
        return await run(parts, controller.signal);
      } finally {
        leave();
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
    const missing = missingEvaluator(evaluators, policy, hasImages);
    if (missing === null) {
      checkThresholds(thresholds, { policy, hasImages, evaluators });
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

/** Lets go of what requests left for later ones. */
function forgetAll({ context, steered, files, images, evaluators }: EtaParts): void {
  context.forget();
  steered?.forget();
  files.clear();
  images.clear();
  evaluators.clip?.loaded?.forget();
  evaluators.rewardModel?.loaded?.forget();
  const decision = evaluators.decision?.loaded;
  if (decision?.kind === 'guard') decision.forget();
}

function disposed(): UsageError {
  return new UsageError('ERR_DISPOSED', 'Expected a loaded Eta, received one that was disposed of. Load it again.');
}
