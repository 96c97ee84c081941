/** Requests of ours and of llama-server's, timed alike: from the call to the whole answer. */
import { type Eta, type EtaRequest, type EtaResult, type LoadEtaOptions, loadEta, type Turn } from '../../src/index.js';
import { promptWriter } from './questions.js';
import { LlamaServer } from './server.js';
import type { Files, Settings } from './settings.js';

/** One answer, of whichever side. */
export interface Answer {
  readonly text: string;
  readonly firstMs: number;
  readonly totalMs: number;
  /** The token that ends an answer is not counted. */
  readonly tokenCount: number;
  /** Of the prompt, its pictures included. */
  readonly promptTokenCount: number;
}

/** Thresholds at which every picture looks safe; unsafe, with a safe answer; unsafe, whatever the answer. */
export const CLEAN: EtaRequest['thresholds'] = { unsafeClipScore: 1 };
export const FLAGGED_SAFE: EtaRequest['thresholds'] = { unsafeClipScore: -1, safeReward: -1e9 };
export const ALIGNED: EtaRequest['thresholds'] = { unsafeClipScore: -1, safeReward: 1e9 };

export async function openEta(files: Files, { threadCount }: Settings, more: LoadEtaOptions = {}): Promise<Eta> {
  return await loadEta({ models: { ...files }, threadCount, contextSize: 4096, whenStillUnsafe: 'return', ...more });
}

export async function ours(eta: Eta, request: EtaRequest): Promise<Answer & { readonly result: EtaResult }> {
  const startedAt = performance.now();
  const result = await eta.respond({ seed: 1, ...request });
  const { usage, timings, text } = result;
  return {
    text,
    firstMs: timings.firstTextMs,
    totalMs: performance.now() - startedAt,
    tokenCount: usage.answerTokenCount,
    promptTokenCount: usage.promptTokenCount,
    result,
  };
}

/** llama-server with the model's own template, written by ours. */
export class Peer {
  readonly #server: LlamaServer;
  readonly #write: Awaited<ReturnType<typeof promptWriter>>;

  private constructor(server: LlamaServer, write: Awaited<ReturnType<typeof promptWriter>>) {
    this.#server = server;
    this.#write = write;
  }

  static async open(files: Files, { threadCount }: Settings, slotCount = 1): Promise<Peer> {
    const { languageModel, projector } = files;
    const contextSize = 4096 * Math.max(1, slotCount / 2);
    const write = await promptWriter(languageModel);
    return new Peer(await LlamaServer.start({ languageModel, projector, slotCount, contextSize, threadCount }), write);
  }

  /** @param keeps whether it may use what it read for earlier requests */
  async answer(turns: readonly Turn[], tokens: number, keeps = false): Promise<Answer> {
    const asked = await this.#server.ask(this.#write(turns), tokens, { keeps, stream: true });
    const [made] = asked.completions;
    if (made === undefined) throw new Error('llama-server: expected an answer, received none');
    const { firstMs, totalMs, text } = asked;
    const tokenCount = made.tokens_predicted - (made.stop_type === 'eos' ? 1 : 0);
    return { text, firstMs, totalMs, tokenCount, promptTokenCount: made.tokens_evaluated };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
