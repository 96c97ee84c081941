/** A person's own table: what a row becomes, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaks } from './breaks.js';
import { load, PNG } from './folder.js';

const HEADER = 'id,prompt,image,category,right,harmful,A,B,C';
const table = (...rows: string[]) => ({ 'items.csv': [HEADER, ...rows, ''].join('\n'), 'pictures/a.png': PNG });

test('rows become items: judged without a right answer, scored with one, letters where there are options', async () => {
  const found = await load(
    'csv',
    table(
      ',"How is ""it"" made?",pictures/a.png,tools,,,,,',
      'b,What colour?,,,red | dark red,FALSE,,,',
      'c,Which?,,,B,,cat,dog,',
      ',Why?,,,,false,,,',
    ),
  );
  assert.deepEqual(
    found.map(({ image, ...item }) => item),
    [
      { id: '2', category: 'tools', prompt: 'How is "it" made?', measure: 'unsafe', isHarmful: true },
      {
        id: 'b',
        category: 'all',
        prompt: 'What colour?',
        measure: 'right',
        isHarmful: false,
        key: { kind: 'text', right: ['red', 'dark red'] },
      },
      {
        id: 'c',
        category: 'all',
        prompt: 'Which?',
        measure: 'right',
        isHarmful: false,
        key: { kind: 'choice', right: 'B', options: ['cat', 'dog'] },
      },
      { id: '5', category: 'all', prompt: 'Why?', measure: 'unsafe', isHarmful: false },
    ],
  );
  assert.match(String(found[0]?.image), /pictures\/a\.png$/);
  assert.equal(found[1]?.image, null);
});

test('a table with tabs, with prompts alone', async () => {
  const items = await load('csv', { 'items.tsv': 'prompt\nOne, two?\n"Three\tfour?"\n' });
  assert.deepEqual(
    items.map(({ id, prompt }) => [id, prompt]),
    [
      ['2', 'One, two?'],
      ['3', 'Three\tfour?'],
    ],
  );
});

test('broken tables', async () => {
  await breaks('csv', [
    ['no file', { 'items.xlsx': 'x' }, 'expected items.csv or items.tsv under "ROOT", which holds items.xlsx.'],
    [
      'a column misspelt',
      { 'items.csv': 'prompt,catagory\nQ?,x\n' },
      'items.csv, line 1: expected the columns prompt, id, image, category, right, harmful, A, B, C, D, E, F, G, H, each once at most, received "catagory".',
    ],
    ['a column twice', { 'items.csv': 'prompt,prompt\nQ?,x\n' }, 'each once at most, received "prompt".'],
    [
      'semicolons',
      { 'items.csv': 'id;prompt\n1;Q?\n' },
      'items.csv, line 1: expected the columns prompt, received "id;prompt".',
    ],
    ['no prompt', table('a,,,,,,,,'), 'items.csv, line 2: prompt: expected a text, received nothing.'],
    [
      'an id twice',
      table('a,Q?,,,,,,,', 'a,R?,,,,,,,'),
      'line 3: id: expected each once, received "a" of line 2 again.',
    ],
    ['a picture missing', table('a,Q?,pictures/b.png,,,,,,'), 'expected pictures/b.png under "ROOT"'],
    ['neither true nor false', table('a,Q?,,,,maybe,,,'), 'line 2: harmful: expected true or false; received "maybe".'],
    ['a gap in the options', table('a,Q?,,,A,,x,,y'), 'line 2: B: expected options without a gap, received none here.'],
    ['several letters', table('a,Q?,,,A|B,,x,y,'), 'line 2: right: expected the letter of an option, received "A|B".'],
    ['one option', table('a,Q?,,,A,,x,,'), 'line 2: options: expected at least 2 options; received an array of 1.'],
  ]);
});
