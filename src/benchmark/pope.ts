/**
 * POPE: is a thing in the photograph? Three subsets, by how its absent things were chosen. Read from the files of its
 * authors, one for each subset, with question and label in each line; where LLaVA's question file lies beside them, its
 * questions are asked, which are those of an older version of the files.
 */
import { z } from 'zod';
import { type Dataset, type DatasetFolder, someText } from './dataset.js';

const POPE_SUBSETS = ['random', 'popular', 'adversarial'] as const;
type Subset = (typeof POPE_SUBSETS)[number];

/** What LLaVA's evaluation adds to a question that wants a word. */
const SHORT_INSTRUCTION = 'Answer the question using a single word or phrase.';

const questionSchema = z.object({
  question_id: z.union([z.string(), z.number()]),
  image: someText,
  text: someText,
  category: z.enum(POPE_SUBSETS, `expected ${POPE_SUBSETS.join(', ')}`),
});
const labelSchema = z.object({
  question_id: z.union([z.string(), z.number()]).optional(),
  image: someText,
  text: someText,
  label: z.enum(['yes', 'no'], 'expected yes or no'),
});

const QUESTIONS = 'llava_pope_test.jsonl';

/** Where the authors' files may lie: as LLaVA lays them out, as in POPE's repository, and alone. */
const PLACES = ['coco/', 'output/coco/', ''] as const;

/** The version of the authors' files that LLaVA's questions were made of. */
const LLAVA_COMMIT = 'e3e39262';

interface Asked {
  readonly id: string;
  readonly subset: Subset;
  readonly image: string;
  /** As the authors ask it, in one line. */
  readonly question: string;
  readonly right: 'yes' | 'no';
}

type Rows<Row> = { readonly file: string; readonly rows: readonly { readonly line: number; readonly row: Row }[] };
type Questions = Rows<z.output<typeof questionSchema>>;
type Labels = Rows<z.output<typeof labelSchema>>;

export const pope: Dataset = {
  name: 'pope',
  title: 'POPE (COCO)',
  source: 'Li et al., Evaluating Object Hallucination (EMNLP 2023, arXiv 2305.10355)',
  licence: 'MIT; the photographs have the terms of COCO',
  layout: [
    'coco/coco_pope_{random,popular,adversarial}.json (one JSON object a line: question_id, image, text, label; 3 x 3,000) or output/coco/… or coco_pope_….json',
    `${QUESTIONS} (LLaVA's own 8,910 questions, which go with POPE's files at commit ${LLAVA_COMMIT}; without it the authors' files suffice)`,
    'val2014/<image>',
  ],
  variants: ['llava', 'plain'],
  async load(folder, variant) {
    const hasQuestions = (await folder.find([QUESTIONS])) !== undefined;
    const questions = hasQuestions ? await folder.jsonLines(questionSchema, QUESTIONS) : null;
    const asked: Asked[] = [];
    for (const subset of POPE_SUBSETS) {
      const labels = await folder.jsonLines(labelSchema, ...PLACES.map((place) => `${place}coco_pope_${subset}.json`));
      asked.push(...(questions === null ? ofAuthors(labels, subset) : ofLlava(folder, questions, labels, subset)));
    }
    const pictures = await folder.pictures(asked.map(({ image }) => `val2014/${image}`));
    return asked.map(({ id, subset, image, question, right }) => ({
      id,
      category: subset,
      prompt: variant === 'plain' ? question : `${question}\n${SHORT_INSTRUCTION}`,
      image: pictures.get(`val2014/${image}`) ?? null,
      measure: 'right',
      isHarmful: false,
      key: { kind: 'yes-no', right },
    }));
  },
};

function ofAuthors({ rows }: Labels, subset: Subset): Asked[] {
  return rows.map(({ line, row }) => ({
    id: `${subset}/${row.question_id ?? line}`,
    subset,
    image: row.image,
    question: row.text.trim(),
    right: row.label,
  }));
}

/** The two files go by their order; picture and question of both say whether they still do. */
function ofLlava(folder: DatasetFolder, questions: Questions, labels: Labels, subset: Subset): Asked[] {
  const rows = questions.rows.filter(({ row }) => row.category === subset);
  if (rows.length !== labels.rows.length)
    throw folder.invalid(
      labels.file,
      `expected as many labels as ${questions.file} has ${subset} questions, ${rows.length}, received ${labels.rows.length}. ${ADVICE}`,
    );
  return rows.map(({ line, row }, index) => {
    const label = labels.rows[index];
    const question = row.text.replace(`\n${SHORT_INSTRUCTION}`, '').trim();
    if (label === undefined || label.row.image !== row.image || question !== label.row.text.trim())
      throw folder.invalid(
        labels.file,
        `expected the label of ${JSON.stringify(question)} about ${row.image} (${questions.file}, line ${line}), received that of ${JSON.stringify(label?.row.text)} about ${label?.row.image}. ${ADVICE}`,
        { line: label?.line },
      );
    return { id: `${subset}/${row.question_id}`, subset, image: row.image, question, right: label.row.label };
  });
}

const ADVICE = `LLaVA's questions are those of POPE's files at commit ${LLAVA_COMMIT}: take those files, or take ${QUESTIONS} away, and today's 3 x 3,000 are asked.`;
