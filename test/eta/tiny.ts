/** ETA on the tiny random models: they say nothing, so thresholds decide which way a request takes. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import {
  type Eta,
  type EtaEvent,
  type EtaRequest,
  type EtaResult,
  type LoadEtaOptions,
  loadEta,
  type QuestionRequest,
} from '../../src/index.js';

const golden = fileURLToPath(new URL('../golden/', import.meta.url));

export const tinyModels = {
  languageModel: `${golden}engine/tiny.gguf`,
  projector: `${golden}engine/tiny-projector.gguf`,
  clip: `${golden}evaluators/clip`,
  rewardModel: `${golden}evaluators/reward-scalar`,
};

export const pictures = ['square', 'wide', 'tall'].map((name) => `${golden}engine/${name}.png`) as [
  square: string,
  wide: string,
  tall: string,
];

/** Thresholds that make every picture, and every answer, safe or unsafe. */
export const CLEAN = { unsafeClipScore: 1 };
export const FLAGGED_SAFE = { unsafeClipScore: -1, safeReward: -1e6 };
export const UNSAFE = { unsafeClipScore: -1, safeReward: 1e6 };

/** Short answers and sentences, so that a search has several rounds and ends soon. */
export const TINY: LoadEtaOptions = {
  models: tinyModels,
  contextSize: 2048,
  cacheType: 'f32',
  maxTokens: 40,
  sentenceTokenLimit: 12,
  candidateCount: 3,
  threadCount: 1,
};

export async function loadTiny(options: LoadEtaOptions = {}): Promise<Eta> {
  return await loadEta({ ...TINY, ...options });
}

export const QUESTION: QuestionRequest = { prompt: 'What is in the picture?', image: pictures[0], seed: 11 };

export interface Streamed {
  readonly events: readonly EtaEvent[];
  readonly types: readonly EtaEvent['type'][];
  /** Pieces of the `text` events. */
  readonly pieces: readonly string[];
  readonly result: EtaResult;
}

/** Every event of a request, checked to end with its result and to give out exactly its text. */
export async function collect(eta: Eta, request: EtaRequest): Promise<Streamed> {
  const events: EtaEvent[] = [];
  for await (const event of eta.stream(request)) events.push(event);
  const last = events.at(-1);
  assert.equal(last?.type, 'done');
  const pieces = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
  assert.equal(pieces.join(''), last.result.text);
  return { events, types: events.map(({ type }) => type), pieces, result: last.result };
}

/** Nothing of a request is left in the context. */
export async function assertFreed(eta: Eta, when: string): Promise<void> {
  const { liveSequenceCount, usedCellCount, keptSequenceCount, keptCellCount } = await eta.statistics();
  assert.equal(liveSequenceCount, keptSequenceCount, when);
  // Prompts that were read side by side share cells that are counted for each.
  assert.ok(usedCellCount <= keptCellCount, `${when}: ${usedCellCount} cells, ${keptCellCount} of them kept`);
}
