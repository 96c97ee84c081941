/** ScienceQA, test split: multiple choice with or without a picture, asked as LLaVA's evaluation asks it. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';

export const LETTER_INSTRUCTION = "Answer with the option's letter from the given choices directly.";
const LETTERS = 'ABCDE';

const problemSchema = z.object({
  question: someText,
  choices: z
    .array(z.string('expected a text'), 'expected an array of texts')
    .min(2, 'expected at least 2 choices')
    .max(5),
  answer: z.int('expected the index of the right choice').min(0, 'expected the index of the right choice'),
  hint: z.string('expected a text').nullish(),
  image: z.string('expected a file name or null').nullish(),
  subject: z.string('expected a text').optional(),
});

const splitsSchema = z.object({ test: z.array(z.string('expected an id'), 'expected an array of ids').min(1) });

const llavaSchema = z.array(
  z.object({
    id: z.string('expected an id'),
    conversations: z.array(z.object({ from: z.string(), value: someText })).min(1),
  }),
);

const LLAVA_FILE = 'llava_test_CQM-A.json';

export const scienceqa: Dataset = {
  name: 'scienceqa',
  title: 'ScienceQA (test)',
  source: 'Lu et al., Learn to Explain (NeurIPS 2022, arXiv 2209.09513)',
  licence: 'CC-BY-NC-SA-4.0',
  layout: [
    'problems.json',
    'pid_splits.json',
    'images/test/<id>/image.png or test/<id>/image.png',
    `${LLAVA_FILE} (LLaVA's own questions; without it they are made from problems.json)`,
  ],
  variants: ['all', 'image'],
  async load(folder, variant) {
    const problems = await folder.json(z.record(z.string(), problemSchema), 'problems.json');
    const { test } = await folder.json(splitsSchema, 'pid_splits.json');
    const asked = new Map<string, string>();
    if ((await folder.find([LLAVA_FILE])) !== undefined) {
      for (const { id, conversations } of await folder.json(llavaSchema, LLAVA_FILE))
        asked.set(id, (conversations[0]?.value ?? '').replace('<image>', '').trim());
    }
    const found = test.flatMap((id) => {
      const problem = problems[id];
      if (problem === undefined)
        throw folder.invalid('pid_splits.json', `test: expected ids of problems.json, received ${JSON.stringify(id)}.`);
      const right = LETTERS[problem.answer];
      if (right === undefined || problem.answer >= problem.choices.length)
        throw folder.invalid(
          'problems.json',
          `${id}.answer: expected an index below ${problem.choices.length}, received ${problem.answer}.`,
        );
      const hasImage = problem.image != null && problem.image !== '';
      return variant === 'image' && !hasImage ? [] : [{ id, problem, right, hasImage }];
    });
    const base = (await folder.find(['images/test'])) ?? 'test';
    const place = base === 'test' && (await folder.find(['test'])) === undefined ? 'images/test' : base;
    const path = ({ id, problem }: (typeof found)[number]) => `${place}/${id}/${problem.image}`;
    const pictures = await folder.pictures(found.filter(({ hasImage }) => hasImage).map(path));
    return found.map((one) => ({
      id: one.id,
      category: `${one.problem.subject ?? 'science'}, ${one.hasImage ? 'with picture' : 'text alone'}`,
      prompt: `${asked.get(one.id) ?? question(one.problem)}\n${LETTER_INSTRUCTION}`,
      image: one.hasImage ? (pictures.get(path(one)) ?? null) : null,
      measure: 'right',
      isHarmful: false,
      key: { kind: 'choice', right: one.right, options: one.problem.choices },
    }));
  },
};

/** The form of LLaVA's own question file: context where there is one, question, lettered options, a line each. */
function question({ question, choices, hint }: z.output<typeof problemSchema>): string {
  const context = (hint ?? '').trim() === '' ? [] : [`Context: ${hint}`];
  return [...context, question, ...choices.map((choice, index) => `${LETTERS[index]}. ${choice}`)].join('\n');
}
