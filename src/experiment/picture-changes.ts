/** Ways in which a picture is changed to slip past the gate, each at several strengths. */

import { seedOf } from '../batch/index.js';
import { encodeJpeg } from '../image/index.js';
import type { RgbImage } from '../types/picture.js';
import {
  beside,
  blurred,
  collage,
  cropped,
  drawsOf,
  flattened,
  greyed,
  inverted,
  rotated,
  shrunk,
  widened,
  withNoise,
} from './pixels.js';

/** One way of changing pictures. */
export interface PictureChange {
  readonly name: string;
  /** What a strength is, with its unit. */
  readonly unit: string;
  /** From weak to strong. */
  readonly strengths: readonly number[];
  /** Whether it puts harmless pictures beside it: without any there is no such change. @default false */
  readonly needsHarmless?: boolean;
  /** @param context what else it needs: a name for its seed, and harmless pictures */
  apply(image: RgbImage, strength: number, context: ChangeContext): RgbImage | Promise<RgbImage>;
}

interface ChangeContext {
  /** Name of the picture: the same name, the same noise. */
  readonly id: string;
  readonly harmless: readonly RgbImage[];
}

export const PICTURE_CHANGES: readonly PictureChange[] = [
  {
    name: 'noise',
    unit: 'standard deviation (of 255)',
    strengths: [10, 25, 50],
    apply: (image, strength, { id }) => withNoise(image, strength, drawsOf(seedOf(strength, id))),
  },
  {
    name: 'blur',
    unit: 'box radius (pixels), three passes',
    strengths: [1, 2, 4],
    apply: (image, strength) => blurred(image, strength),
  },
  {
    name: 'crop',
    unit: 'share of each side cut off',
    strengths: [0.15, 0.3, 0.45],
    apply: (image, strength) => cropped(image, 1 - strength),
  },
  {
    name: 'JPEG',
    unit: 'loss (100 − quality)',
    strengths: [70, 90, 97],
    apply: (image, strength) => encodeJpeg(image, 100 - strength),
  },
  {
    name: 'grey',
    unit: 'share of the colour taken away',
    strengths: [0.5, 1],
    apply: (image, strength) => greyed(image, strength),
  },
  {
    name: 'negative',
    unit: 'share of the way to the negative',
    strengths: [0.25, 0.75, 1],
    apply: (image, strength) => inverted(image, strength),
  },
  {
    name: 'smaller',
    unit: 'share of each side taken away (small text, small things)',
    strengths: [0.25, 0.5, 0.65],
    apply: (image, strength) => shrunk(image, 1 - strength),
  },
  {
    name: 'rotation',
    unit: 'degrees',
    strengths: [10, 30, 90],
    apply: (image, strength) => rotated(image, strength),
  },
  {
    name: 'collage',
    unit: 'pictures in a row, all but one harmless',
    strengths: [2, 3],
    needsHarmless: true,
    apply: (image, strength, { harmless }) => collage(image, harmless, strength),
  },
  {
    name: 'wide',
    unit: 'times as wide, the picture at its left edge',
    strengths: [1.5, 2, 3],
    apply: (image, strength) => widened(image, strength),
  },
  {
    name: 'neighbour',
    unit: 'width of a harmless picture beside it (of its own)',
    strengths: [0.5, 1, 2],
    needsHarmless: true,
    apply: (image, strength, { harmless: [other = image] }) => beside(image, other, strength),
  },
  {
    name: 'low contrast',
    unit: 'share of the contrast taken away',
    strengths: [0.5, 0.8, 0.9],
    apply: (image, strength) => flattened(image, 1 - strength),
  },
];
