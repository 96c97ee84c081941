/**
 * The search against the reference's algorithm run on scripts (record/decisions.py): the paper's own 1024 tokens, equal
 * utilities of different texts, ends and caps in any order. Sequences are scripted here too; the search is the real one.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Decoded, DecodeOptions, Sequence, TokenSet } from '../../src/engine/index.js';
import { StopTexts, searchBestOfN, sentencesByToken } from '../../src/search/index.js';
import { golden } from './trace-file.js';

interface Scripted {
  readonly wants: number;
  readonly ends: boolean;
  readonly reward: number;
  readonly clipScore: number;
}

interface RecordedRun {
  readonly candidateCount: number;
  readonly maxTokens: number;
  readonly sentenceTokenLimit: number;
  readonly rounds: readonly {
    readonly script: readonly Scripted[];
    readonly counts: readonly number[];
    readonly ended: readonly boolean[];
    readonly utilities: readonly number[];
    readonly chosen: number;
  }[];
}

const { runs } = JSON.parse(gunzipSync(readFileSync(golden('paper/decisions.json.gz'))).toString('utf8')) as {
  runs: readonly RecordedRun[];
};

/** Says what the script wants, as far as the search lets it; each text tells its round and index. */
class ScriptedSequence {
  readonly #script: RecordedRun['rounds'];
  readonly #round: number;
  readonly #index: number;

  constructor(script: RecordedRun['rounds'], round: number, index: number) {
    this.#script = script;
    this.#round = round;
    this.#index = index;
  }

  async fork(count: number): Promise<ScriptedSequence[]> {
    return Array.from({ length: count }, (_, index) => new ScriptedSequence(this.#script, this.#round + 1, index));
  }

  async release(): Promise<void> {
    // nothing is held
  }

  async decode({ maxTokens }: DecodeOptions): Promise<Pick<Decoded, 'text' | 'tokens' | 'stopReason'>> {
    const said = this.#script[this.#round - 1]?.script[this.#index];
    assert.ok(said !== undefined, `the search goes on in round ${this.#round}`);
    const limit = maxTokens ?? 0;
    const isEnd = said.ends && said.wants < limit;
    return {
      text: `${this.#round}.${this.#index} `,
      tokens: Array<number>(Math.min(said.wants, limit)).fill(1),
      stopReason: isEnd ? 'end' : said.wants <= limit ? 'paused' : 'length',
    };
  }
}

async function replay(run: RecordedRun, asks = run): Promise<string | null> {
  const scriptOf = (text: string): Scripted => {
    const [round = 0, index = 0] = text.split('.').map(Number);
    const said = run.rounds[round - 1]?.script[index];
    assert.ok(said !== undefined, text);
    return said;
  };
  const { candidateCount, maxTokens, sentenceTokenLimit } = asks;
  const rounds = searchBestOfN(new ScriptedSequence(run.rounds, 0, 0) as unknown as Sequence, {
    candidateCount,
    firstCandidateCount: 0,
    acceptAbove: 0,
    maxTokens,
    roomTokens: maxTokens + sentenceTokenLimit - 1,
    temperature: 1.5,
    topK: 5,
    rule: sentencesByToken(sentenceTokenLimit),
    endTokens: {} as TokenSet,
    before: '',
    mayBeEmpty: true,
    clipWeight: 1,
    seed: () => 0,
    judge: {
      rewards: async (texts) => texts.map((text) => scriptOf(text).reward),
      clipScores: async (texts) => texts.map((text) => scriptOf(text).clipScore),
      accept: () => undefined,
    },
    stops: new StopTexts([]),
    cutBack: null,
    onText: () => undefined,
    signal: new AbortController().signal,
  });
  let count = 0;
  for await (const { round, candidates, chosen } of rounds) {
    const recorded = run.rounds[round - 1];
    const ours = {
      counts: candidates.map(({ tokenCount }) => tokenCount),
      ended: candidates.map(({ isFinal }) => isFinal),
      utilities: candidates.map(({ utility }) => utility),
      chosen,
    };
    const { script: _, ...theirs } = recorded ?? { script: [] };
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) return `round ${round}: ${JSON.stringify({ ours, theirs })}`;
    count++;
  }
  return count === run.rounds.length ? null : `${count} rounds, recorded ${run.rounds.length}`;
}

test('every scripted run is decided alike, to the last bit of the utilities', async () => {
  assert.ok(runs.length >= 200, `${runs.length} runs`);
  for (const [index, run] of runs.entries()) assert.equal(await replay(run), null, `run ${index}`);
});

test('the runs hold what they are for', () => {
  const rounds = runs.flatMap((run) => run.rounds);
  const tied = rounds.filter(({ utilities, script }) => {
    const best = utilities.flatMap((value, index) => (value === Math.max(...utilities) ? [index] : []));
    return best.length > 1 && new Set(best.map((index) => JSON.stringify(script[index]))).size > 1;
  });
  assert.ok(tied.length >= 20, `${tied.length} ties of candidates that differ`);
  const long = runs.filter(({ maxTokens, rounds: its }) => maxTokens === 1024 && its.length > 15);
  assert.ok(long.length >= 3, `${long.length} runs of more than 15 rounds`);
  const capped = runs.filter(
    ({ sentenceTokenLimit, rounds: its }) => sentenceTokenLimit === 70 && its[0]?.counts.includes(69),
  );
  assert.ok(capped.length >= 10, `${capped.length} first sentences of 69 tokens`);
});

test('a replay with another limit, another cap or another N is refused', async () => {
  const refused = async (change: (run: RecordedRun) => RecordedRun) => {
    let count = 0;
    for (const run of runs.slice(0, 60)) {
      const what = await replay(run, change(run)).catch((error: unknown) => String(error));
      if (what !== null) count++;
    }
    return count;
  };
  assert.ok((await refused((run) => ({ ...run, sentenceTokenLimit: run.sentenceTokenLimit + 1 }))) >= 20, 'the cap');
  assert.ok((await refused((run) => ({ ...run, maxTokens: Math.ceil(run.maxTokens / 2) }))) >= 5, 'the limit');
  assert.ok((await refused((run) => ({ ...run, candidateCount: Math.max(1, run.candidateCount - 1) }))) >= 20, 'N');
});
