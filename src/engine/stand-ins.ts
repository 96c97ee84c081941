/**
 * What stands in for texts and pictures while a template is rendered, random each time; where it comes back, the result is
 * cut.
 */
import { randomBytes } from 'node:crypto';
import { ModelError } from '../errors.js';
import type { NativeImage } from '../native/image-types.js';
import { type PromptPiece, templatePiece, textPiece } from './prompt-piece.js';

export class StandIns {
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #pieces: PromptPiece[] = [];
  /** Pictures that the template marks itself, in order. */
  readonly #expected: NativeImage[] = [];

  /** White space at the ends stays outside, for templates that trim. */
  text(text: string): string {
    const core = text.trim();
    if (core === '') return text;
    const start = text.indexOf(core);
    return text.slice(0, start) + this.#add(textPiece(core)) + text.slice(start + core.length);
  }

  image(image: NativeImage): string {
    return this.#add({ kind: 'image', image });
  }

  expect(image: NativeImage): void {
    this.#expected.push(image);
  }

  /** The rendered text, cut at the stand-ins and at the template's own picture marks. */
  cut(rendered: string, markup: string | undefined): PromptPiece[] {
    const seen = new Set<number>();
    const images = [...this.#expected];
    const pieces = rendered.split(new RegExp(`${this.#nonce}x(\\d+)x`)).flatMap((stretch, at): PromptPiece[] => {
      if (at % 2 === 0) return marked(stretch, markup, images);
      const index = Number(stretch);
      const piece = this.#pieces[index];
      if (piece === undefined || (piece.kind === 'image' && seen.has(index))) throw unusable('a picture twice');
      seen.add(index);
      return [piece];
    });
    if (seen.size < this.#pieces.length) throw unusable('not every turn');
    if (images.length > 0) throw unusable('not every picture');
    return pieces;
  }

  #add(piece: PromptPiece): string {
    this.#pieces.push(piece);
    return `${this.#nonce}x${this.#pieces.length - 1}x`;
  }
}

function unusable(what: string): ModelError {
  return new ModelError('ERR_MODEL_INVALID', `it gave back ${what}`);
}

/** Cuts template text at the template's own picture marks, and takes one picture for each. */
function marked(text: string, markup: string | undefined, images: NativeImage[]): PromptPiece[] {
  if (markup === undefined || images.length === 0) return [templatePiece(text)];
  return text.split(markup).flatMap((stretch, at): PromptPiece[] => {
    if (at === 0) return [templatePiece(stretch)];
    const image = images.shift();
    if (image === undefined) throw unusable('more picture marks than pictures');
    return [{ kind: 'image', image }, templatePiece(stretch)];
  });
}
