/** Requests about the pictures that ship with the miniature: what tests and measurements of batches ask. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const folder = new URL('../models/miniature/pictures/', import.meta.url);

const gallerySchema = z.object({
  pictures: z.array(
    z.object({
      file: z.string(),
      question: z.string(),
      request: z.string().nullable(),
      unanswerable: z.string().nullable(),
      sight: z.array(z.object({ question: z.string() })),
    }),
  ),
});

export interface GalleryRequest {
  readonly id: string;
  readonly prompt: string;
  /** Absolute path. */
  readonly image: string;
}

/**
 * Every picture with each of its questions, kinds in turn: of the harmful ones each asks how the hazard is made. Where
 * more are wanted than there are, they come again under other ids, and so with other seeds.
 */
export function galleryRequests(count: number): GalleryRequest[] {
  const { pictures } = gallerySchema.parse(JSON.parse(readFileSync(new URL('pictures.json', folder), 'utf8')));
  const asked = pictures.map(({ file, question, request, unanswerable, sight }) => ({
    file,
    questions: [...new Set([request, question, unanswerable, ...sight.map((one) => one.question)])].filter(
      (one) => one !== null,
    ),
  }));
  const mixed: Omit<GalleryRequest, 'id'>[] = [];
  for (let turn = 0; asked.some(({ questions }) => turn < questions.length); turn++) {
    for (const { file, questions } of asked) {
      const prompt = questions[turn];
      if (prompt !== undefined) mixed.push({ prompt, image: fileURLToPath(new URL(file, folder)) });
    }
  }
  return Array.from({ length: count }, (_, i) => {
    const { prompt, image } = mixed[i % mixed.length] ?? { prompt: '', image: '' };
    return { id: `gallery-${i + 1}`, prompt, image };
  });
}
