/** A reward model: how good, and how safe, an answer is. What it is like stands in its manifest, not here. */
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError, UsageError } from '../errors.js';
import { parseOptions } from '../options.js';
import type { TextTurn } from '../types.js';
import { cacheNames } from './cache-layout.js';
import { checkGraph, openGraph } from './graph.js';
import type { EvaluatorLoadOptions } from './load-options.js';
import { evaluatorLoadSchema } from './load-options.js';
import type { RewardManifest } from './manifest.js';
import { readManifest, rewardManifestSchema, verifyFiles } from './manifest.js';
import { RewardGraph } from './reward-graph.js';
import { RewardPairs } from './reward-pairs.js';
import { RewardPrefixes } from './reward-prefixes.js';
import { RewardPrompt } from './reward-prompt.js';
import type { RewardParts } from './reward-session.js';
import { RewardSession } from './reward-session.js';
import { TextTokenizer } from './tokenizer.js';
import type { EvaluatorWorker } from './worker.js';

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
  readonly #worker: EvaluatorWorker;
  readonly #session: number;
  readonly #parts: RewardParts;
  #disposed = false;

  /**
   * @throws ModelError ERR_MODEL_NOT_FOUND or ERR_MODEL_INVALID for what is in the folder, ERR_SELF_TEST when the model
   * does not reproduce the scores in its manifest
   */
  static async load(options: EvaluatorLoadOptions): Promise<RewardModel> {
    const { worker, folder, verifyHashes } = parseOptions(evaluatorLoadSchema, options, 'RewardModel.load options');
    const manifest = await readManifest(folder, rewardManifestSchema);
    const { graph: graphFile, tokenizer: tokenizerFile, externalData } = manifest.files;
    await verifyFiles(folder, [graphFile, tokenizerFile, ...externalData], verifyHashes);
    const tokenizer = await TextTokenizer.load(join(folder, tokenizerFile.path));
    const text =
      manifest.kind === 'encoder' ? new RewardPairs(manifest, tokenizer) : new RewardPrompt(manifest, tokenizer);
    const graph = await openGraph(worker, join(folder, graphFile.path), manifest.cache);
    const model = new RewardModel(worker, graph.session, manifest, text);
    try {
      checkGraph(graph, inputTypes(manifest), outputNames(manifest));
      await model.#selfTest();
    } catch (error) {
      await model.dispose();
      throw error;
    }
    return model;
  }

  private constructor(
    worker: EvaluatorWorker,
    session: number,
    manifest: RewardManifest,
    text: RewardPrompt | RewardPairs,
  ) {
    this.#worker = worker;
    this.#session = session;
    this.manifest = manifest;
    const graph = new RewardGraph(worker, session, manifest);
    this.#parts = {
      manifest,
      graph,
      prefixes: new RewardPrefixes(graph, manifest),
      text,
      checkOpen: () => this.#checkOpen(),
    };
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

  /** Releases the graph and every cache. Idempotent. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#worker.close(this.#session);
  }

  async #selfTest(): Promise<void> {
    for (const { messages, score: expected, tolerance } of this.manifest.selfTest) {
      const answer = messages.at(-1)?.content ?? '';
      const received = await this.score(messages.slice(0, -1), answer);
      if (Math.abs(received - expected) <= tolerance) continue;
      throw new ModelError(
        'ERR_SELF_TEST',
        `${this.manifest.name}: expected the reward ${expected} (within ${tolerance}) of a conversation of its self-test, received ${received}. The files do not belong together or this machine computes wrongly: fetch or export the model again.`,
      );
    }
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new UsageError('ERR_DISPOSED', `The reward model ${this.manifest.name} was disposed; load it again.`);
  }
}

function inputTypes({ inputs, cache }: RewardManifest): Record<string, string> {
  const types: Record<string, string> = {
    [inputs.ids]: 'int64',
    [inputs.mask.name]: inputs.mask.type === 'padding-2d' ? 'int64' : 'float32',
  };
  if (inputs.positions !== null) types[inputs.positions] = 'int64';
  if (inputs.tokenTypes !== null) types[inputs.tokenTypes] = 'int64';
  for (const { past } of cache === null ? [] : cacheNames(cache)) types[past] = cache?.dtype ?? 'float32';
  return types;
}

function outputNames({ score, cache }: RewardManifest): string[] {
  const scores = score.type === 'scalar' ? [score.output] : [score.rewards, score.gate];
  return [...scores, ...(cache === null ? [] : cacheNames(cache).map(({ present }) => present))];
}
