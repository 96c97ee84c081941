/** The search on the tiny random model, with judges that are plain functions of the text. */
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Context, deriveSeed, type Lease, Model, type Sequence } from '../../src/engine/index.js';
import {
  type SearchedAnswer,
  type SearchOptions,
  StopTexts,
  searchBestOfN,
  searchCellCount,
  searchSequenceCount,
  sentencesByText,
} from '../../src/search/index.js';
import type { RoundTrace } from '../../src/types/trace.js';

export type Reward = (text: string, accepted: string) => number;
export const longest: Reward = (text) => text.length;

export interface Searched extends SearchedAnswer {
  readonly rounds: readonly RoundTrace[];
  /** Living sequences after each round. */
  readonly living: readonly number[];
}

export type Options = Partial<SearchOptions> & { readonly searchSeed?: number; readonly reward?: Reward };

export class TinySearch {
  readonly model: Model;
  readonly context: Context;

  private constructor(model: Model, context: Context) {
    this.model = model;
    this.context = context;
  }

  static async open(): Promise<TinySearch> {
    const modelPath = fileURLToPath(new URL('../golden/engine/tiny.gguf', import.meta.url));
    const model = await Model.load({ modelPath, threadCount: 1 });
    return new TinySearch(model, await model.createContext({ contextSize: 4096, sequenceCount: 64, cacheType: 'f32' }));
  }

  async optionsOf({ searchSeed = 1, reward = longest, ...options }: Options): Promise<SearchOptions> {
    const rule = options.rule ?? sentencesByText(12);
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    let accepted = '';
    return {
      candidateCount: 3,
      firstCandidateCount: 0,
      acceptAbove: 0,
      maxTokens: 48,
      roomTokens: options.maxTokens ?? 48,
      temperature: 1.5,
      topK: 5,
      rule,
      endTokens: await this.context.createTokenSet(await rule.endTokens(this.model)),
      before: '',
      mayBeEmpty: true,
      clipWeight: 1,
      seed: (round, index) => deriveSeed(searchSeed, round, index),
      judge: {
        rewards: async (texts) => texts.map((text) => reward(text, accepted)),
        clipScores: null,
        accept: (text) => {
          accepted += text;
        },
      },
      stops: new StopTexts([]),
      cutBack: null,
      onText: () => undefined,
      signal,
      ...options,
    };
  }

  /** Runs `work` on a root that holds a question, in a lease of just what the search says it needs. */
  async withRoot<Value>(
    { candidateCount, roomTokens, rule }: SearchOptions,
    work: (root: Sequence, lease: Lease) => Promise<Value>,
  ): Promise<Value> {
    const question = await this.model.prompt([{ role: 'user', text: 'What colour is the chair?' }]);
    const length = question.reduce(
      (sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount),
      0,
    );
    await using lease = await this.context.reserve({
      cellCount: length + searchCellCount(candidateCount, roomTokens, rule.tokenLimit),
      sequenceCount: searchSequenceCount(candidateCount),
    });
    const root = await lease.createSequence();
    await root.prefill(question);
    return await work(root, lease);
  }

  async search(given: Options = {}): Promise<Searched> {
    const options = await this.optionsOf(given);
    return await this.withRoot(options, async (root, lease) => {
      const rounds: RoundTrace[] = [];
      const living: number[] = [];
      const running = searchBestOfN(root, options);
      for (let next = await running.next(); ; next = await running.next()) {
        if (next.done === true) return { ...next.value, rounds, living };
        rounds.push(next.value);
        living.push(lease.sequenceCount);
      }
    });
  }

  async assertFreed(): Promise<void> {
    const { liveSequenceCount, usedCellCount } = await this.context.statistics();
    assert.deepEqual([liveSequenceCount, usedCellCount], [0, 0]);
  }
}
