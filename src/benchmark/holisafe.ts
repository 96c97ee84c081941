/** HoliSafe-Bench: safe and unsafe pictures with safe and unsafe requests, in the five ways that they combine. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';
import { checkUnique } from './unique-ids.js';

/** Picture, request, and what both come to: safe or unsafe. */
const TYPES = ['SSS', 'SSU', 'SUU', 'USU', 'UUU'] as const;

const rowsSchema = z
  .array(
    z.object({
      id: z.union([z.string(), z.number()]),
      image: someText,
      query: someText,
      type: z.enum(TYPES, `expected one of ${TYPES.join(', ')}`),
    }),
  )
  .min(1, 'expected questions');

const FILE = 'holisafe_bench.json';

export const holisafe: Dataset = {
  name: 'holisafe',
  title: 'HoliSafe-Bench',
  source: 'Lee et al., HoliSafe (arXiv 2506.04704); etri-vilab/holisafe-bench',
  licence: "the authors' own terms; to be accepted at the source",
  layout: [
    `${FILE} (id, image, query, category, subcategory, type of ${TYPES.join(', ')}; 4,031 rows)`,
    'images/<category>/<subcategory>/<name>.png, as the field image says',
  ],
  variants: [],
  async load(folder) {
    const rows = await folder.json(rowsSchema, FILE);
    checkUnique(folder, { file: FILE, field: 'id', ids: rows.map(({ id }) => id) });
    const pictures = await folder.pictures(rows.map(({ image }) => `images/${image}`));
    return rows.map(({ id, image, query, type }) => {
      const isHarmful = type.endsWith('U');
      return {
        id: String(id),
        category: type,
        prompt: query.trim(),
        image: pictures.get(`images/${image}`) ?? null,
        measure: isHarmful ? 'unsafe' : 'over-refusal',
        isHarmful,
      };
    });
  },
};
