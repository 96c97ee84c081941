/** The same question for both sides: a conversation for ours, its whole prompt for llama.cpp's, and pictures nobody saw. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { ChatTemplate } from '../../src/engine/chat-template.js';
import { Model, type NativeImage, type PromptTurn } from '../../src/engine/index.js';
import type { Turn } from '../../src/types/turn.js';
import { type PeerPrompt, PICTURE } from './server.js';

/** Stands in for a picture while a prompt is written down. */
const STAND_IN: NativeImage = { tokenCount: 1, positionCount: 1, embeddingBytes: 0, dispose: () => undefined };

/** Writes conversations as the model's own template has them. */
export async function promptWriter(languageModel: string): Promise<(turns: readonly Turn[]) => PeerPrompt> {
  await using model = await Model.load({ modelPath: languageModel });
  const template = new ChatTemplate(model.facts);
  return (turns) => {
    const marked = turns.map(
      ({ role, text, images = [] }): PromptTurn => ({ role, text, images: images.map(() => STAND_IN) }),
    );
    const text = template
      .render(marked)
      .map((piece) => (piece.kind === 'image' ? PICTURE : piece.text))
      .join('');
    return { text, pictures: turns.flatMap(({ images = [] }) => images.map(String)) };
  };
}

/** What the pictures show where a scenario does not care. */
export const DRAWN = fileURLToPath(new URL('../../models/miniature/pictures/drawn-01.jpg', import.meta.url));

/**
 * A copy with another first pixel for each seed: it looks the same and costs the same, and nothing that was kept of the
 * others fits it.
 *
 * @returns its path
 */
export async function newPicture(folder: string, seed: number, like = DRAWN): Promise<string> {
  const { data, info } = await sharp(like)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  data.writeUIntLE(seed % 2 ** 24, 0, 3);
  const path = join(folder, `picture-${seed}.png`);
  const { width, height, channels } = info;
  await writeFile(path, await sharp(data, { raw: { width, height, channels } }).png().toBuffer());
  return path;
}
