/**
 * A search for a small change of a picture that lowers its CLIP score: what somebody does who can ask the gate for its
 * score, and nothing else. Random squares at the edge of what is allowed, kept when the score falls.
 * Source of the idea: Square Attack (Andriushchenko, Croce, Flammarion, Hein, ECCV 2020), without its schedule.
 */
import { throwIfAborted } from '../errors.js';
import type { RgbImage } from '../types/picture.js';
import { drawsOf, mapped } from './pixels.js';

export interface ClipSearchOptions {
  /** No value of the picture changes by more, in steps of 0 to 255. */
  readonly limit: number;
  /** Scores that may be asked for. */
  readonly queryCount: number;
  /** The search ends when the score is below this. */
  readonly goal: number;
  readonly seed: number;
  /** CLIP score of a picture. */
  score(image: RgbImage): Promise<number>;
  readonly signal?: AbortSignal | undefined;
}

export interface ClipSearchResult {
  readonly image: RgbImage;
  /** Of the picture as it was, and of the one found. */
  readonly before: number;
  readonly after: number;
  readonly queryCount: number;
}

/** @returns the picture with the lowest score that was met; the given one when none was lower */
export async function lowerClipScore(image: RgbImage, options: ClipSearchOptions): Promise<ClipSearchResult> {
  const { limit, queryCount, goal, seed, score, signal } = options;
  const draw = drawsOf(seed);
  const { width, height } = image;
  const before = await score(image);
  let change: Float32Array = new Float32Array(image.data.length);
  let best = before;
  let asked = 1;
  for (; asked < queryCount && best >= goal; asked++) {
    throwIfAborted(signal);
    // Large squares first, small ones later: from a third of the side to a twentieth.
    const share = 0.05 + 0.28 * (1 - asked / queryCount);
    const side = Math.max(1, Math.round(Math.min(width, height) * share));
    const [left, top] = [Math.floor(draw() * (width - side + 1)), Math.floor(draw() * (height - side + 1))];
    const signs = [0, 1, 2].map(() => (draw() < 0.5 ? -limit : limit));
    const next = Float32Array.from(change);
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++)
        for (let channel = 0; channel < 3; channel++) next[(y * width + x) * 3 + channel] = signs[channel] ?? 0;
    const found = await score(changed(image, next, 1));
    if (found < best) {
      best = found;
      change = next;
    }
  }
  return { image: changed(image, change, 1), before, after: best, queryCount: asked };
}

/** Between two pictures of one size. @param share 0: the first; 1: the other */
export function between(image: RgbImage, other: RgbImage, share: number): RgbImage {
  return mapped(image, (value, _, index) => value + share * ((other.data[index] ?? 0) - value));
}

function changed(image: RgbImage, change: Float32Array, share: number): RgbImage {
  return mapped(image, (value, _, index) => value + share * (change[index] ?? 0));
}
