/** The same question for both sides: a conversation for ours, its whole prompt for llama.cpp's, and pictures nobody saw. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { ChatTemplate } from '../../src/engine/chat-template.js';
import { Model, type NativeImage, type PromptTurn } from '../../src/engine/index.js';
import type { Turn } from '../../src/types.js';
import { type PeerPrompt, PICTURE } from './server.js';

const SIDE = 336;

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

/** A picture that differs from every other: nothing can be known of it. @returns its path */
export async function newPicture(folder: string, seed: number): Promise<string> {
  let state = seed + 1;
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  const path = join(folder, `picture-${seed}.png`);
  await writeFile(
    path,
    await sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .png()
      .toBuffer(),
  );
  return path;
}
