/** VLSBench: the picture alone shows the danger, and the request does not name it. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';
import { checkUnique } from './unique-ids.js';

const rowsSchema = z
  .array(
    z.object({
      instruction_id: z.union([z.string(), z.number()]),
      instruction: z.string('expected a text'),
      image_path: someText,
      category: someText,
      /** In the later version: what is dangerous in the picture with the request. */
      safety_reason: z.string('expected a text').nullish(),
    }),
  )
  .min(1, 'expected questions');

export const vlsbench: Dataset = {
  name: 'vlsbench',
  title: 'VLSBench',
  source: 'Hu et al., VLSBench (ACL 2025, arXiv 2411.19939); Foreshhh/vlsbench',
  licence: 'none found: ask the authors',
  layout: [
    'data.json (instruction_id, instruction, image_path, category, sub_category, source; 2,241 rows, one of them empty and not asked) or data/data.json',
    'imgs/<number>.png: imgs.tar, unpacked in the root',
  ],
  variants: [],
  async load(folder) {
    const file = await folder.require('data.json', 'data/data.json');
    // One row of the distributed file has no instruction: nothing can be asked.
    const rows = (await folder.json(rowsSchema, file)).filter(({ instruction }) => instruction.trim() !== '');
    if (rows.length === 0) throw folder.invalid(file, 'expected instructions, received none.');
    checkUnique(folder, { file, field: 'instruction_id', ids: rows.map(({ instruction_id }) => instruction_id) });
    const pictures = await folder.pictures(rows.map(({ image_path }) => image_path));
    return rows.map(({ instruction_id, instruction, image_path, category, safety_reason }) => ({
      id: String(instruction_id),
      category,
      prompt: instruction,
      image: pictures.get(image_path) ?? null,
      measure: 'unsafe',
      isHarmful: true,
      ...(safety_reason == null || safety_reason.trim() === '' ? {} : { risk: safety_reason }),
    }));
  },
};
