/** A person's own set as a spreadsheet saves it: one item a row, the options of a choice in columns of their own. */
import { Turns } from '../turns.js';
import type { Dataset, DatasetFolder } from './dataset.js';
import { type OwnRow, ownItemSchema, ownItems } from './own-items.js';
import { readTable, type TableRow } from './table.js';

const LETTERS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;
const OPTIONAL = ['id', 'image', 'category', 'right', 'harmful'] as const;

/** Between several right answers. */
const OR = '|';

export const csv: Dataset = {
  name: 'csv',
  title: 'Own items (table)',
  source: 'your own',
  licence: 'your own',
  layout: [
    `items.csv or items.tsv (columns prompt; optional ${OPTIONAL.join(', ')}, and A, B, C, … for options; several right answers with ${OR} between)`,
    'the pictures, by paths relative to the root',
  ],
  variants: [],
  async load(folder) {
    const found = await folder.require('items.csv', 'items.tsv');
    const { file, rows } = await readTable(folder, [found], {
      separator: found.endsWith('.tsv') ? '\t' : ',',
      columns: ['prompt'],
      optional: [...OPTIONAL, ...LETTERS],
      isClosed: true,
    });
    const own = await new Turns().map(rows, (row) => ownRow(folder, file, row));
    return await ownItems(folder, file, own);
  },
};

/** Empty fields are as columns that are not there. */
function ownRow(folder: DatasetFolder, file: string, { line, get }: TableRow): OwnRow {
  const options = LETTERS.map((letter) => get(letter).trim());
  const optionCount = options.findLastIndex((option) => option !== '') + 1;
  const gap = options.slice(0, optionCount).indexOf('');
  if (gap >= 0)
    throw folder.invalid(file, `${LETTERS[gap]}: expected options without a gap, received none here.`, { line });
  const right = get('right').trim();
  const harmful = get('harmful').trim().toLowerCase();
  const filled = Object.entries({
    id: get('id').trim(),
    prompt: get('prompt'),
    image: get('image').trim(),
    category: get('category').trim(),
  }).filter(([, value]) => value !== '');
  const row = {
    ...Object.fromEntries(filled),
    ...(right === '' ? {} : { right: optionCount === 0 && right.includes(OR) ? rightOnes(right) : right }),
    ...(optionCount === 0 ? {} : { options: options.slice(0, optionCount) }),
    // Spreadsheets write TRUE and FALSE.
    ...(harmful === '' ? {} : { harmful: ['true', 'false'].includes(harmful) ? harmful === 'true' : harmful }),
  };
  return { line, row: folder.fits(ownItemSchema, row, file, line) };
}

const rightOnes = (text: string) => text.split(OR).flatMap((one) => (one.trim() === '' ? [] : [one.trim()]));
