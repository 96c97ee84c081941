/** POPE: is a thing in the photograph? Three subsets, by how its absent things were chosen. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';

const POPE_SUBSETS = ['random', 'popular', 'adversarial'] as const;

const questionSchema = z.object({
  question_id: z.union([z.string(), z.number()]),
  image: someText,
  text: someText,
  category: z.enum(POPE_SUBSETS, `expected ${POPE_SUBSETS.join(', ')}`),
});
const labelSchema = z.object({
  image: someText,
  text: someText,
  label: z.enum(['yes', 'no'], 'expected yes or no'),
});

const QUESTIONS = 'llava_pope_test.jsonl';

export const pope: Dataset = {
  name: 'pope',
  title: 'POPE (COCO)',
  source: 'Li et al., Evaluating Object Hallucination (EMNLP 2023, arXiv 2305.10355)',
  licence: 'MIT; the photographs have the terms of COCO',
  layout: [
    `${QUESTIONS} (question_id, image, text, category)`,
    'coco/coco_pope_{random,popular,adversarial}.json (one JSON object a line: image, text, label)',
    'val2014/<image>',
  ],
  variants: [],
  async load(folder) {
    const { file, rows } = await folder.jsonLines(questionSchema, QUESTIONS);
    const items = [];
    for (const subset of POPE_SUBSETS) {
      const asked = rows.filter(({ row }) => row.category === subset);
      const labels = await folder.jsonLines(labelSchema, `coco/coco_pope_${subset}.json`);
      if (asked.length !== labels.rows.length)
        throw folder.invalid(
          labels.file,
          `expected as many labels as ${file} has ${subset} questions, ${asked.length}, received ${labels.rows.length}.`,
        );
      // The two files go by their order; picture and question of both say whether they still do.
      for (const [index, { line, row }] of asked.entries()) {
        const label = labels.rows[index];
        if (label === undefined || label.row.image !== row.image || !row.text.startsWith(label.row.text.trim()))
          throw folder.invalid(
            labels.file,
            `expected the label of ${JSON.stringify(row.text.split('\n')[0])} about ${row.image} (${file}, line ${line}), received that of ${JSON.stringify(label?.row.text)} about ${label?.row.image}.`,
            { line: label?.line },
          );
        items.push({ id: `${subset}/${row.question_id}`, subset, row, right: label.row.label });
      }
    }
    const pictures = await folder.pictures(items.map(({ row }) => `val2014/${row.image}`));
    return items.map(({ id, subset, row, right }) => ({
      id,
      category: subset,
      prompt: row.text,
      image: pictures.get(`val2014/${row.image}`) ?? null,
      measure: 'right',
      isHarmful: false,
      key: { kind: 'yes-no', right },
    }));
  },
};
