/** Which device each evaluator runs on: the one asked for where it starts and computes rightly, else the CPU. */
import { AbortError } from '../errors.js';
import { type EvaluatorDevice, type EvaluatorWorker, type Provider, providersToTry } from '../onnx/index.js';
import type { Notice } from '../types/notice.js';

type EvaluatorName = 'CLIP' | 'the reward model';

/** What loaders of evaluators take of it. */
export interface EvaluatorPlace {
  readonly worker: EvaluatorWorker;
  readonly provider: Provider;
}

/** Loads evaluators, and knows afterwards what is to be said of where they run. */
export class EvaluatorPlacement {
  readonly #worker: EvaluatorWorker;
  readonly #wanted: EvaluatorDevice;
  readonly #probes = new Map<Provider, Promise<string | null>>();
  /** Why evaluators run on the CPU though another device was asked for, to their names. */
  readonly #refused = new Map<string, EvaluatorName[]>();

  constructor(worker: EvaluatorWorker, wanted: EvaluatorDevice) {
    this.#worker = worker;
    this.#wanted = wanted;
  }

  /**
   * Loads on the first device that is asked for, starts here, and reproduces the model's self-test; else on the CPU.
   *
   * @throws what `start` throws on the CPU: what is wrong with the files is so everywhere; AbortError
   */
  async load<Loaded>(
    name: EvaluatorName,
    start: (place: EvaluatorPlace) => Promise<Loaded>,
    signal: AbortSignal | undefined,
  ): Promise<Loaded> {
    const worker = this.#worker;
    const reasons: string[] = [];
    for (const provider of providersToTry(this.#wanted)) {
      try {
        const refusal = await this.#probe(provider, signal);
        if (refusal === null) return await start({ worker, provider });
        reasons.push(`${provider}: ${refusal}`);
      } catch (error) {
        if (error instanceof AbortError || signal?.aborted) throw error;
        reasons.push(`${provider}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const loaded = await start({ worker, provider: 'cpu' });
    if (this.#wanted !== 'cpu') {
      const why = reasons.length === 0 ? 'onnxruntime-node has no other device for this platform.' : reasons.join(' ');
      this.#refused.set(why, [...(this.#refused.get(why) ?? []), name]);
    }
    return loaded;
  }

  /** Of the evaluators that run on the CPU though another device was asked for; one for each reason, and each once. */
  takeNotices(): Notice[] {
    const notices = [...this.#refused].map(([why, names]): Notice => {
      const who = `${names.sort().join(' and ')} ${names.length === 1 ? 'runs' : 'run'}`;
      return {
        code: 'ETA_EVALUATOR_DEVICE',
        message: `${who.charAt(0).toUpperCase()}${who.slice(1)} on the processor, not on the device asked for (${this.#wanted}). ${why}`,
      };
    });
    this.#refused.clear();
    return notices;
  }

  async #probe(provider: Provider, signal: AbortSignal | undefined): Promise<string | null> {
    const known = this.#probes.get(provider) ?? this.#worker.probe(provider, signal);
    this.#probes.set(provider, known);
    return await known;
  }
}
