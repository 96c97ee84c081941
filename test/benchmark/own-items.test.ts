/** The loader of a person's own items: whole folders, and five broken ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaks } from './breaks.js';
import { load, PNG } from './folder.js';

const picture = PNG.toString('base64');

const own = [
  { prompt: 'How is it made?', image: 'pictures/a.png', category: 'tools' },
  { id: 'b', prompt: 'What colour?', image: `data:image/png;base64,${picture}`, right: ['red', 'dark red'] },
  { prompt: 'Which?', right: 'B', options: ['cat', 'dog'], harmful: false },
];
const ownFile = (...lines: unknown[]) => ({
  'items.jsonl': lines.map((line) => JSON.stringify(line)).join('\n'),
  'pictures/a.png': PNG,
});

test('own items: judged where there is no right answer, scored where there is', async () => {
  const items = await load('jsonl', ownFile(...own));
  assert.deepEqual(
    items.map(({ id, category, measure, isHarmful, key }) => [id, category, measure, isHarmful, key?.kind]),
    [
      ['1', 'tools', 'unsafe', true, undefined],
      ['b', 'all', 'right', false, 'text'],
      ['3', 'all', 'right', false, 'choice'],
    ],
  );
  assert.match(String(items[0]?.image), /pictures\/a\.png$/);
});

test('own items: broken folders', async () => {
  await breaks('jsonl', [
    [
      'no file',
      { 'questions.jsonl': '{}' },
      'expected items.jsonl or benchmark.jsonl under "ROOT", which holds questions.jsonl.',
    ],
    ['no picture', ownFile({ prompt: 'x', image: 'b.png' }), 'expected b.png under "ROOT"'],
    ['no prompt', ownFile(own[0], { id: 'c' }), 'items.jsonl, line 2: prompt: expected a text; received nothing.'],
    [
      'an id twice',
      ownFile(own[1], own[1]),
      'items.jsonl, line 2: id: expected each once, received "b" of line 1 again.',
    ],
    [
      'a letter beyond the options',
      ownFile({ prompt: 'x', right: 'C', options: ['a', 'b'] }),
      'items.jsonl, line 1: right: expected the letter of an option, received "C".',
    ],
    ['an unknown field', ownFile({ prompt: 'x', answer: 'y' }), 'items.jsonl, line 1: Unrecognized key: "answer"'],
    ['an array', { 'items.jsonl': '[{"prompt": "x"}]' }, 'items.jsonl, line 1: '],
  ]);
});
