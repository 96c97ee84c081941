/**
 * MMBench, dev split: multiple choice with the pictures inside the table. The distributed tables hold a question once with
 * its options in the first order, and again with them turned: the index of a turn is that of the question and a multiple
 * of a million. Circular evaluation counts a question as right only when it is right in every order.
 */
import type { Dataset } from './dataset.js';
import { LETTER_INSTRUCTION } from './scienceqa.js';
import { readTable } from './table.js';

const FILES = ['mmbench_dev_20230712.tsv', 'mmbench_dev_en_20231003.tsv', 'MMBench_DEV_EN.tsv'];
const LETTERS = ['A', 'B', 'C', 'D'] as const;

/** A field this short is no picture but the index of the row that holds it. */
const SHORTEST_PICTURE = 64;

/** A question and its turns have the same remainder. */
const TURN = 1_000_000;

const isNone = (text: string) => ['', 'nan', 'none'].includes(text.trim().toLowerCase());

export const mmbench: Dataset = {
  name: 'mmbench',
  title: 'MMBench (dev)',
  source: 'Liu et al., MMBench (ECCV 2024, arXiv 2307.06281)',
  licence: 'Apache-2.0; the pictures have their own terms',
  layout: [
    `${FILES[0]} (columns index, question, hint, A, B, C, D, answer, category, image as base64; 4,377 rows of 1,176 questions)`,
  ],
  variants: ['circular', 'plain'],
  async load(folder, variant) {
    const { file, rows } = await readTable(folder, FILES, {
      separator: '\t',
      columns: ['index', 'question', 'hint', ...LETTERS, 'answer', 'category', 'image'],
      filled: ['index', 'question', 'answer', 'category', 'image'],
    });
    const pictures = new Map<string, string>();
    for (const { get } of rows) {
      const image = get('image').trim();
      if (image.length >= SHORTEST_PICTURE) pictures.set(get('index').trim(), `data:image/jpeg;base64,${image}`);
    }
    const seen = new Set<string>();
    const holdsTurns = rows.some(({ get }) => Number(get('index')) >= TURN);
    return rows.flatMap(({ line, get }) => {
      const index = get('index').trim();
      if (!/^\d{1,15}$/.test(index))
        throw folder.invalid(file, `index: expected a number, received ${JSON.stringify(index)}.`, { line });
      if (seen.has(index)) throw folder.invalid(file, `index: expected each once, received ${index} again.`, { line });
      seen.add(index);
      if (variant === 'plain' && Number(index) >= TURN) return [];
      const image = pictures.get(index) ?? pictures.get(get('image').trim());
      if (image === undefined)
        throw folder.invalid(
          file,
          `image: expected base64, or the index of a row that has it, received ${JSON.stringify(get('image').trim())}.`,
          { line },
        );
      const missing = LETTERS.findIndex((letter) => isNone(get(letter)));
      const options = LETTERS.slice(0, missing < 0 ? LETTERS.length : missing).map((letter) => get(letter));
      const right = (LETTERS as readonly string[]).indexOf(get('answer').trim());
      if (right < 0 || right >= options.length)
        throw folder.invalid(
          file,
          `answer: expected one of ${LETTERS.slice(0, options.length).join(', ')}, received ${JSON.stringify(get('answer'))}.`,
          { line },
        );
      const hint = isNone(get('hint')) ? [] : [get('hint')];
      // A table without turns is turned here, as LLaVA's script does with --all-rounds.
      const rounds = variant === 'circular' && !holdsTurns ? options.length : 1;
      return Array.from({ length: rounds }, (_, round) => {
        const turned = [...options.slice(round), ...options.slice(0, round)];
        const lettered = turned.map((option, place) => `${LETTERS[place]}. ${option}`);
        const letter = LETTERS[(right - round + options.length) % options.length] ?? 'A';
        return {
          id: round === 0 ? index : `${index}/${round}`,
          category: get('category').trim(),
          prompt: [...hint, get('question'), ...lettered, LETTER_INSTRUCTION].join('\n'),
          image,
          measure: 'right' as const,
          isHarmful: false,
          key: { kind: 'choice' as const, right: letter, options: turned },
          group: String(Number(index) % TURN),
        };
      });
    });
  },
};
