/** TextVQA, validation split: questions about words in photographs, as LLaVA's evaluation lays them out. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';

const questionSchema = z.object({ image: someText, text: someText, question_id: z.union([z.string(), z.number()]) });

const annotationsSchema = z.object({
  data: z
    .array(
      z.object({
        image_id: someText,
        question: someText,
        answers: z.array(z.string('expected a text'), 'expected an array of texts').length(10, 'expected 10 answers'),
      }),
      'expected an array of annotations',
    )
    .min(1, 'expected annotations'),
});

const QUESTIONS = 'llava_textvqa_val_v051_ocr.jsonl';
const ANNOTATIONS = 'TextVQA_0.5.1_val.json';

export const textvqa: Dataset = {
  name: 'textvqa',
  title: 'TextVQA (val)',
  source: 'Singh et al., Towards VQA Models That Can Read (CVPR 2019, arXiv 1904.08920)',
  licence: 'CC-BY-4.0',
  layout: [
    `${QUESTIONS} (image, text, question_id)`,
    `${ANNOTATIONS} (10 answers a question)`,
    'train_images/<id>.jpg',
  ],
  variants: ['ocr', 'plain'],
  async load(folder, variant) {
    const { file, rows } = await folder.jsonLines(questionSchema, QUESTIONS);
    const { data } = await folder.json(annotationsSchema, ANNOTATIONS);
    const key = (imageId: string, question: string) => `${imageId}\n${question.trim().toLowerCase()}`;
    const answers = new Map(data.map((entry) => [key(entry.image_id, entry.question), entry.answers]));
    const counts = new Map<string, number>();
    const asked = rows.map(({ line, row }) => {
      const imageId = row.image.replace(/\.[a-z]+$/i, '');
      const lines = row.text.split('\n');
      const question = (lines[0]?.startsWith('Reference OCR token:') ? lines[1] : lines[0]) ?? '';
      const right = answers.get(key(imageId, question));
      if (right === undefined)
        throw folder.invalid(
          file,
          `expected a question that ${ANNOTATIONS} answers, received ${JSON.stringify(question)} about ${imageId}.`,
          { line },
        );
      const place = counts.get(imageId) ?? 0;
      counts.set(imageId, place + 1);
      const plain = lines.filter((part) => !part.startsWith('Reference OCR token:')).join('\n');
      return {
        id: place === 0 ? imageId : `${imageId}/${place}`,
        picture: `train_images/${imageId}.jpg`,
        prompt: variant === 'plain' ? plain : row.text,
        answers: right,
      };
    });
    const pictures = await folder.pictures(asked.map(({ picture }) => picture));
    return asked.map(({ id, picture, prompt, answers: right }) => ({
      id,
      category: 'all',
      prompt,
      image: pictures.get(picture) ?? picture,
      measure: 'right',
      isHarmful: false,
      key: { kind: 'vqa', answers: right },
    }));
  },
};
