/** Sequences that say what a script wants, character by character, so that rounds can be brought about by hand. */

import assert from 'node:assert/strict';
import { type Decoded, type DecodeOptions, deriveSeed, type Sequence, type TokenSet } from '../../src/engine/index.js';
import {
  type CandidateJudge,
  type SearchedAnswer,
  type SearchOptions,
  StopTexts,
  searchBestOfN,
  sentencesByText,
} from '../../src/search/index.js';
import type { RoundTrace } from '../../src/types/trace.js';

/** What a candidate goes on with; `ends`: an end token follows, where there is room to sample it. */
interface Line {
  readonly text: string;
  readonly ends?: boolean;
}

/** Rounds of candidates; a character is a token. */
export type Script = readonly (readonly Line[])[];

class ScriptedSequence {
  readonly #script: Script;
  readonly #round: number;
  readonly #index: number;
  /** Forks so far: a second helping goes on where the first ended. */
  #forkCount = 0;

  constructor(script: Script, round: number, index: number) {
    this.#script = script;
    this.#round = round;
    this.#index = index;
  }

  async fork(count: number): Promise<ScriptedSequence[]> {
    const from = this.#forkCount;
    this.#forkCount += count;
    return Array.from({ length: count }, (_, at) => new ScriptedSequence(this.#script, this.#round + 1, from + at));
  }

  async release(): Promise<void> {
    // nothing is held
  }

  async decode({ maxTokens, pause, until }: DecodeOptions): Promise<Decoded> {
    const line = this.#script[this.#round - 1]?.[this.#index];
    assert.ok(line !== undefined, `the script ends before round ${this.#round}`);
    const { text, ends = false } = line;
    let said = '';
    const decoded = (stopReason: Decoded['stopReason']): Decoded => ({
      text: said,
      tokens: Array.from(said, () => 1),
      stopReason,
      logProbability: undefined,
    });
    for (const character of text) {
      said += character;
      if (until?.(said) === true || pause?.accept(said, []) === true) return decoded('paused');
      if (said.length === maxTokens) return decoded('length');
    }
    return decoded(ends ? 'end' : 'paused');
  }
}

export interface Played extends SearchedAnswer {
  readonly rounds: readonly RoundTrace[];
}

/** Searches the script; the longest continuation is the best unless `rewards` says otherwise. */
export async function play(
  script: Script,
  { rewards, ...options }: Partial<SearchOptions> & { readonly rewards?: CandidateJudge['rewards'] },
): Promise<Played> {
  const maxTokens = options.maxTokens ?? 1000;
  const search = searchBestOfN(new ScriptedSequence(script, 0, 0) as unknown as Sequence, {
    candidateCount: script[0]?.length ?? 1,
    firstCandidateCount: 0,
    acceptAbove: 0,
    maxTokens,
    roomTokens: maxTokens,
    temperature: 1,
    topK: 0,
    rule: sentencesByText(500),
    endTokens: {} as TokenSet,
    before: '',
    mayBeEmpty: true,
    clipWeight: 1,
    seed: (round, index) => deriveSeed(1, round, index),
    judge: {
      rewards: rewards ?? (async (texts) => texts.map((text) => text.length)),
      clipScores: null,
      accept: () => undefined,
    },
    stops: new StopTexts([]),
    cutBack: null,
    onText: () => undefined,
    signal: new AbortController().signal,
    ...options,
  });
  const rounds: RoundTrace[] = [];
  for (let next = await search.next(); ; next = await search.next()) {
    if (next.done === true) return { ...next.value, rounds };
    rounds.push(next.value);
  }
}
