/**
 * Prompts that a template rendered, with seams where texts and pictures stand. A template is shown stand-ins for both, and
 * so what it writes depends on who says how many things, and on white space at their ends, which it may trim: turns alike in
 * that are rendered once. Candidates of one answer mostly are.
 */
import { isDeepStrictEqual } from 'node:util';
import type { NativeImage } from '../native/image-types.js';
import { type PromptPiece, type PromptTurn, textPiece } from './prompt-piece.js';

/** Shapes that are kept: a request has one for each way in which its answers begin and end. */
const MOST_SHAPES = 16;

/** A longer one is rendered each time, in characters. */
const MOST_SHAPE_LENGTH = 2 ** 16;

/** Text pieces hold the index of their turn; pictures are stand-ins. */
interface Seams {
  readonly pieces: readonly PromptPiece[];
  /** Stand-ins of the pictures of all turns, in order. */
  readonly images: readonly NativeImage[];
}

export class PromptSeams {
  /** By shape, the one used longest ago first. */
  readonly #kept = new Map<string, Seams>();

  /**
   * @param variables what else the template is given
   * @param render gives the pieces of turns; it must not look at the words within them
   * @throws what `render` throws, which is asked again the next time
   */
  render(
    turns: readonly PromptTurn[],
    variables: Readonly<Record<string, unknown>>,
    render: (turns: readonly PromptTurn[]) => PromptPiece[],
  ): PromptPiece[] {
    const shape = shapeOf(turns, variables);
    if (shape === null) return render(turns);
    const seams = this.#kept.get(shape) ?? seamsOf(turns, render);
    this.#kept.delete(shape);
    this.#kept.set(shape, seams);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MOST_SHAPES && oldest !== undefined) this.#kept.delete(oldest);
    return filled(seams, turns);
  }
}

/** A text's white space before and behind its words, and the words; a text without any has its own white space alone. */
function cut(text: string): [before: string, words: string, behind: string] {
  const words = text.trim();
  const start = text.indexOf(words);
  return words === '' ? [text, '', ''] : [text.slice(0, start), words, text.slice(start + words.length)];
}

/** All that a template can tell of turns; null for what cannot be written down, or is too long to be kept. */
function shapeOf(turns: readonly PromptTurn[], variables: Readonly<Record<string, unknown>>): string | null {
  const shapes = turns.map(({ role, text, images = [] }) => {
    const [before, words, behind] = cut(text);
    return [role, before, words === '' ? 0 : 1, behind, images.length];
  });
  try {
    const given = JSON.stringify(variables);
    if (!isDeepStrictEqual(JSON.parse(given), variables)) return null;
    const shape = JSON.stringify(shapes) + given;
    return shape.length > MOST_SHAPE_LENGTH ? null : shape;
  } catch {
    return null; // a cycle, say
  }
}

function seamsOf(turns: readonly PromptTurn[], render: (turns: readonly PromptTurn[]) => PromptPiece[]): Seams {
  const images: NativeImage[] = [];
  const standIn = () => {
    const image = { tokenCount: 1, positionCount: 1, embeddingBytes: 0, dispose: () => undefined };
    images.push(image);
    return image;
  };
  const shown = turns.map((turn, at): PromptTurn => {
    const [before, words, behind] = cut(turn.text);
    const text = before + (words === '' ? '' : `${at}`) + behind;
    return turn.images === undefined ? { ...turn, text } : { ...turn, text, images: turn.images.map(standIn) };
  });
  return { pieces: render(shown), images };
}

function filled({ pieces, images }: Seams, turns: readonly PromptTurn[]): PromptPiece[] {
  const own = turns.flatMap(({ images: given = [] }) => given);
  return pieces.map((piece): PromptPiece => {
    if (piece.kind === 'text') return textPiece(cut(turns[Number(piece.text)]?.text ?? '')[1]);
    return piece.kind === 'image' ? { kind: 'image', image: own[images.indexOf(piece.image)] as NativeImage } : piece;
  });
}
