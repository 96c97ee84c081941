/** Requests of a soak: every method and kind of picture, wrong ones among them, drawn from a seed. */
import { readFileSync } from 'node:fs';
import { deriveSeed } from '../src/engine/index.js';
import type { EtaRequest, Method, PicturesRequest, QuestionRequest, RgbImage } from '../src/index.js';
import { galleryRequests } from './gallery-requests.js';

/** How a request is asked and left. */
export interface SoakRequest {
  readonly request: EtaRequest;
  /** Whether nothing but an error can come of it. */
  readonly isWrong: boolean;
  /** Events after which its stream is left; 0: it is asked by `respond`. */
  readonly leftAfter: number;
  /** When its signal fires; 0: before it is asked; null: never. */
  readonly abortMs: number | null;
}

const METHODS: readonly Method[] = ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'];

/** What callers get wrong, before and after the models are asked. */
const WRONG: readonly unknown[] = [
  {},
  { prompt: 5 },
  { prompt: 'What?', images: new Uint8Array(3) },
  { prompt: 'What?', image: ['a.png'] },
  { prompt: 'What?', image: 'nowhere.png' },
  { prompt: 'What?', image: Buffer.from('no picture') },
  { prompt: 'What?', image: 'data:image/png;base64,AAAA' },
  { turns: [] },
  { turns: [{ role: 'assistant', text: 'Yes.' }] },
  { prompt: 'What?', thresholds: { safeReward: Number.NaN } },
  { prompt: 'What?', candidateCount: 255 },
  { prompt: 'word '.repeat(20_000) },
];

/** Numbers from 0 to 1 for request `index`, the same for the same seed. */
function draws(seed: number, index: number): () => number {
  let count = 0;
  return () => deriveSeed(seed, index, ++count) / 2 ** 32;
}

const gallery = galleryRequests(60);

/** @param pixels a decoded picture, for requests that show one */
export function soakRequest(seed: number, index: number, pixels: RgbImage): SoakRequest {
  const draw = draws(seed, index);
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(draw() * values.length)] as Value;
  const leftAfter = draw() < 0.35 ? 1 + Math.floor(draw() * 12) : 0;
  const abortMs = draw() < 0.3 ? Math.floor(draw() ** 2 * 250) : null;
  if (draw() < 0.1) return { request: pick(WRONG) as EtaRequest, isWrong: true, leftAfter, abortMs };
  const { prompt, image } = pick(gallery);
  const question = pick<QuestionRequest | PicturesRequest>([
    { prompt },
    { prompt, image },
    { prompt, image },
    { prompt, image: readFileSync(image) },
    { prompt, image: pixels },
    { prompt, images: [image, pixels] },
  ]);
  const request: EtaRequest = {
    ...question,
    method: pick(METHODS),
    seed: Math.floor(draw() * 2 ** 32),
    maxTokens: 1 + Math.floor(draw() * 32),
    candidateCount: 1 + Math.floor(draw() * 5),
    whenStillUnsafe: pick(['refuse', 'return']),
    sentenceEnd: pick(['text', 'token']),
    rewardContext: pick(['paper', 'conversation']),
    // A third takes its own way; the others are sent down one.
    ...pick<Pick<EtaRequest, 'thresholds'>>([
      {},
      { thresholds: { unsafeClipScore: -1, safeReward: 1e6 } },
      { thresholds: { unsafeClipScore: -1, safeReward: -1e6 } },
    ]),
  };
  return { request, isWrong: false, leftAfter, abortMs };
}
