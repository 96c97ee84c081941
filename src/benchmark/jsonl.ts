/** A person's own set: one JSON object a line. */
import type { Dataset } from './dataset.js';
import { ownItemSchema, ownItems } from './own-items.js';

const FILES = ['items.jsonl', 'benchmark.jsonl'];

export const jsonl: Dataset = {
  name: 'jsonl',
  title: 'Own items',
  source: 'your own',
  licence: 'your own',
  layout: [
    'items.jsonl (one object a line: prompt; optional id, image, category, right, options, harmful)',
    'the pictures, by paths relative to the root',
  ],
  variants: [],
  async load(folder) {
    const { file, rows } = await folder.jsonLines(ownItemSchema, ...FILES);
    return await ownItems(folder, file, rows);
  },
};
