/** A reward model: how good, and how safe, an answer is. What it is like stands in its manifest, not here. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import {
  checkSelfTest,
  filesOf,
  type RewardManifest,
  readManifest,
  rewardManifestSchema,
  type SelfTestResult,
  selfTestResult,
  verifyFiles,
} from '../manifest/index.js';
import { type Provider, runtimeFacts } from '../onnx/index.js';
import { parseOptions } from '../options.js';
import type { TextTurn } from '../types/turn.js';
import { trialOf } from '../verified/index.js';
import { type LoadedReward, loadGraph, loadTrunk, TRUNK_HEADS_PROVIDER } from './load.js';
import { type RewardLoadOptions, rewardLoadSchema } from './load-options.js';
import { type RewardParts, RewardSession } from './session.js';

const promptSchema = z
  .array(
    z.object({
      role: z.enum(['system', 'user', 'assistant'], 'expected system, user or assistant'),
      content: z.string('expected a text'),
    }),
    'expected an array of turns',
  )
  .min(1, 'expected at least one turn');

export class RewardModel {
  readonly manifest: RewardManifest;
  /** Where its graph runs; the CPU for the heads of a trunk, which itself runs in llama.cpp. */
  readonly provider: Provider;
  readonly #parts: RewardParts;
  readonly #forget: () => void;
  readonly #dispose: () => Promise<void>;
  #disposed = false;

  /**
   * @throws ModelError ERR_MODEL_NOT_FOUND or ERR_MODEL_INVALID for what is in the folder, ERR_SELF_TEST when the model
   * does not reproduce the scores in its manifest
   */
  static async load(options: RewardLoadOptions): Promise<RewardModel> {
    const {
      worker,
      folder,
      provider: wanted,
      verifyHashes,
      openTrunk,
      signal,
    } = parseOptions(rewardLoadSchema, options, 'RewardModel.load options');
    const manifest = await readManifest(folder, rewardManifestSchema);
    await verifyFiles(folder, filesOf(manifest), verifyHashes, signal);
    const isTrunk = manifest.format === 'eta-vlm/reward-trunk';
    const provider = isTrunk ? TRUNK_HEADS_PROVIDER : wanted;
    const loaded = isTrunk
      ? await loadTrunk({ worker, folder, manifest, openTrunk, signal })
      : await loadGraph({ worker, folder, manifest, provider, signal });
    const model = new RewardModel(manifest, provider, loaded);
    try {
      // What a trunk computes depends on llama.cpp's device and code too.
      const facts = isTrunk || provider !== 'cpu' ? null : await runtimeFacts(worker.threadCount);
      const trial = await trialOf(facts && [manifest, facts], verifyHashes);
      if (!trial.isPassed) checkSelfTest(manifest.name, 'reward', await model.selfTest(signal), provider);
      trial.keep();
    } catch (error) {
      await model.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
    return model;
  }

  private constructor(manifest: RewardManifest, provider: Provider, { text, forget, dispose }: LoadedReward) {
    this.manifest = manifest;
    this.provider = provider;
    this.#parts = { manifest, text, checkOpen: () => this.#checkOpen() };
    this.#forget = forget;
    this.#dispose = dispose;
  }

  /**
   * Opens a scoring session for one answer; close it. The prompt's cache is computed with the first score, once per
   * distinct prompt, and kept for later sessions.
   *
   * @param prompt the turns before the answer, usually one user turn
   * @throws UsageError ERR_INVALID_OPTION, ERR_DISPOSED
   */
  open(prompt: readonly TextTurn[]): RewardSession {
    this.#checkOpen();
    return new RewardSession(this.#parts, parseOptions(promptSchema, prompt, 'prompt'));
  }

  /** The reward of one whole answer: open, score, close. */
  async score(prompt: readonly TextTurn[], answer: string, options?: { signal?: AbortSignal }): Promise<number> {
    const session = this.open(prompt);
    try {
      const [score = Number.NaN] = await session.score([answer], options);
      return score;
    } finally {
      session.close();
    }
  }

  /** Computes the scores of the manifest's self-test again. */
  async selfTest(signal?: AbortSignal): Promise<SelfTestResult[]> {
    const results: SelfTestResult[] = [];
    for (const { messages, score, tolerance } of this.manifest.selfTest) {
      const heard = signal === undefined ? {} : { signal };
      const received = await this.score(messages.slice(0, -1), messages.at(-1)?.content ?? '', heard);
      results.push(selfTestResult('a conversation', score, received, tolerance));
    }
    return results;
  }

  /** Lets go of the texts that its tokenizer kept, and of what a trunk read of prompts that nobody uses. */
  forget(): void {
    this.#forget();
  }

  /** Releases the graph and every cache. Idempotent. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#dispose();
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new UsageError('ERR_DISPOSED', `The reward model ${this.manifest.name} was disposed; load it again.`);
  }
}
