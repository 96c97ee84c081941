/** The loaders of benchmarks whose questions have options: whole folders, and five broken ones each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limited, rates } from '../../src/benchmark/index.js';
import { decodeImage } from '../../src/image/index.js';
import { judged } from './answers.js';
import { breaks } from './breaks.js';
import { type Files, load, PNG, without } from './folder.js';

const problems = {
  1: {
    question: 'Which is red?',
    choices: ['apple', 'sky'],
    answer: 0,
    hint: '',
    image: null,
    subject: 'language science',
    split: 'test',
  },
  5: {
    question: 'Which state?',
    choices: ['Iowa', 'Ohio', 'Utah'],
    answer: 2,
    hint: 'Look at\nthe map.',
    image: 'image.png',
    subject: 'social science',
  },
  9: { question: 'Trained?', choices: ['yes', 'no'], answer: 1, image: null },
};
const scienceqa: Files = {
  'problems.json': JSON.stringify(problems),
  'pid_splits.json': JSON.stringify({ train: ['9'], test: ['1', '5'] }),
  'images/test/5/image.png': PNG,
};

test('ScienceQA: the test split, asked as LLaVA asks it, from the original files', async () => {
  const items = await load('scienceqa', scienceqa);
  assert.deepEqual(
    items.map(({ id, category, prompt, key }) => ({ id, category, prompt, key })),
    [
      {
        id: '1',
        category: 'language science, text alone',
        prompt: "Which is red?\nA. apple\nB. sky\nAnswer with the option's letter from the given choices directly.",
        key: { kind: 'choice', right: 'A', options: ['apple', 'sky'] },
      },
      {
        id: '5',
        category: 'social science, with picture',
        prompt:
          "Context: Look at\nthe map.\nWhich state?\nA. Iowa\nB. Ohio\nC. Utah\nAnswer with the option's letter from the given choices directly.",
        key: { kind: 'choice', right: 'C', options: ['Iowa', 'Ohio', 'Utah'] },
      },
    ],
  );
  assert.equal(items[0]?.image, null);
  assert.match(String(items[1]?.image), /images\/test\/5\/image\.png$/);
  assert.deepEqual(
    (await load('scienceqa', scienceqa, 'image')).map(({ id }) => id),
    ['5'],
  );
});

test("ScienceQA: LLaVA's own questions are taken where they are, pictures under test/ too", async () => {
  const files = {
    ...without(scienceqa, 'images/test/5/image.png'),
    'test/5/image.png': PNG,
    'llava_test_CQM-A.json': JSON.stringify([
      {
        id: '5',
        image: '5/image.png',
        conversations: [
          { from: 'human', value: '<image>\nContext: map\nQuestion: Q?' },
          { from: 'gpt', value: 'x' },
        ],
      },
    ]),
  };
  const items = await load('scienceqa', files);
  assert.match(items[0]?.prompt ?? '', /^Which is red\?\nA\. apple\nB\. sky\n/);
  assert.equal(
    items[1]?.prompt,
    "Context: map\nQuestion: Q?\nAnswer with the option's letter from the given choices directly.",
  );
  assert.match(String(items[1]?.image), /test\/5\/image\.png$/);
});

test('ScienceQA: broken folders', async () => {
  const changed = (id: 1 | 5, change: object) => ({
    ...scienceqa,
    'problems.json': JSON.stringify({ ...problems, [id]: { ...problems[id], ...change } }),
  });
  await breaks('scienceqa', [
    [
      'no problems',
      without(scienceqa, 'problems.json'),
      'ERR_DATASET_LAYOUT: scienceqa: expected problems.json under "ROOT", which holds images/, pid_splits.json.',
    ],
    ['no picture', without(scienceqa, 'images/test/5/image.png'), 'expected images/test/5/image.png under "ROOT"'],
    [
      'an answer beyond the choices',
      changed(5, { answer: 3 }),
      'ERR_DATASET_INVALID: scienceqa: problems.json: 5.answer: expected an index below 3, received 3.',
    ],
    [
      'choices that are none',
      changed(1, { choices: 'apple' }),
      'problems.json: 1.choices: expected an array of texts; received "apple".',
    ],
    [
      'an id that no problem has',
      { ...scienceqa, 'pid_splits.json': '{"test":["1","6"]}' },
      'pid_splits.json: test: expected ids of problems.json, received "6".',
    ],
    [
      'no test split',
      { ...scienceqa, 'pid_splits.json': '{"train":["9"]}' },
      'pid_splits.json: test: expected an array of ids; received nothing.',
    ],
  ]);
});

const picture = PNG.toString('base64');
const mmbenchRows = [
  [
    'index',
    'question',
    'hint',
    'A',
    'B',
    'C',
    'D',
    'answer',
    'category',
    'image',
    'source',
    'l2-category',
    'comment',
    'split',
  ],
  [
    '241',
    'Which one?',
    'The passage\tbelow.',
    'cat',
    'dog',
    'cow',
    'nan',
    'B',
    'identity_reasoning',
    picture,
    's',
    'x',
    '',
    'dev',
  ],
  ['252', 'How many?', 'nan', 'one', 'two', '', '', 'A', 'object_counting', '241', 's', 'x', '', 'dev'],
];
const tsv = (rows: readonly (readonly string[])[]) =>
  `${rows.map((row) => row.map((field) => (/[\t\n"]/.test(field) ? `"${field}"` : field)).join('\t')).join('\n')}\n`;
const FILE = 'mmbench_dev_20230712.tsv';

test('MMBench: lettered options, hints, pictures in the table or of another row', async () => {
  const items = await load('mmbench', { [FILE]: tsv(mmbenchRows) }, 'plain');
  assert.deepEqual(
    items.map(({ id, category, prompt, key }) => ({ id, category, prompt, key })),
    [
      {
        id: '241',
        category: 'identity_reasoning',
        prompt:
          "The passage\tbelow.\nWhich one?\nA. cat\nB. dog\nC. cow\nAnswer with the option's letter from the given choices directly.",
        key: { kind: 'choice', right: 'B', options: ['cat', 'dog', 'cow'] },
      },
      {
        id: '252',
        category: 'object_counting',
        prompt: "How many?\nA. one\nB. two\nAnswer with the option's letter from the given choices directly.",
        key: { kind: 'choice', right: 'A', options: ['one', 'two'] },
      },
    ],
  );
  assert.equal(items[1]?.image, items[0]?.image);
  assert.equal((await decodeImage(items[0]?.image ?? '')).width, 1);
});

test('MMBench: a table without turns is turned, and the right letter with the options', async () => {
  const items = await load('mmbench', { [FILE]: tsv(mmbenchRows) });
  assert.deepEqual(
    items.map(({ id, group, key }) => [id, group, key?.kind === 'choice' && [key.right, ...key.options]]),
    [
      ['241', '241', ['B', 'cat', 'dog', 'cow']],
      ['241/1', '241', ['A', 'dog', 'cow', 'cat']],
      ['241/2', '241', ['C', 'cow', 'cat', 'dog']],
      ['252', '252', ['A', 'one', 'two']],
      ['252/1', '252', ['B', 'two', 'one']],
    ],
  );
  assert.equal(limited(items, 1).length, 5);
});

test('MMBench: the distributed 4,377 rows are 1,176 questions, each with its turns: asked as they are, or once', async () => {
  const [header = []] = mmbenchRows;
  // 100 questions of two options, 127 of three and 949 of four; turns behind the questions, as in the file.
  const optionCount = (question: number) => (question < 100 ? 2 : question < 227 ? 3 : 4);
  const row = (question: number, turn: number) => {
    const count = optionCount(question);
    const texts = ['w', 'x', 'y', 'z'].slice(0, count);
    const turned = [...texts.slice(turn), ...texts.slice(0, turn), '', '', ''].slice(0, 4);
    const right = 'ABCD'[(count - turn) % count] ?? '';
    const index = String(turn * 1_000_000 + question);
    const image = question === 0 && turn === 0 ? picture : '0';
    return [index, 'Which?', '', ...turned, right, `category ${question % 20}`, image, 's', 'x', '', 'dev'];
  };
  const rows = [0, 1, 2, 3].flatMap((turn) =>
    Array.from({ length: 1176 }, (_, question) => question)
      .filter((question) => turn < optionCount(question))
      .map((question) => row(question, turn)),
  );
  const files = { [FILE]: tsv([header, ...rows]) };
  const circular = await load('mmbench', files);
  assert.equal(circular.length, 4377);
  assert.equal(new Set(circular.map(({ group }) => group)).size, 1176);
  assert.equal(new Set(circular.map(({ id }) => id)).size, 4377);
  const turns = circular.filter(({ group }) => group === '300');
  assert.deepEqual(
    turns.map(({ id, prompt, key }) => [id, prompt.split('\n')[1], key?.kind === 'choice' && key.right]),
    [
      ['300', 'A. w', 'A'],
      ['1000300', 'A. x', 'D'],
      ['2000300', 'A. y', 'C'],
      ['3000300', 'A. z', 'B'],
    ],
  );
  assert.equal((await load('mmbench', files, 'plain')).length, 1176);
  assert.equal(new Set(limited(circular, 2).map(({ group }) => group)).size, 40);
  const answers = circular.map((of) => judged(of, of.id === '1000300' || of.id === '7' ? 0 : 1));
  const [all] = await rates(answers, ['vanilla']);
  assert.deepEqual([all?.estimate.count, all?.estimate.value], [1176, 1174 / 1176]);
});

test('MMBench: broken folders', async () => {
  const [header = [], first = [], second = []] = mmbenchRows;
  const set = (row: readonly string[], column: string, value: string) =>
    row.map((field, place) => (header[place] === column ? value : field));
  await breaks('mmbench', [
    [
      'no table',
      { 'mmbench_test_20230712.tsv': tsv(mmbenchRows) },
      `expected ${FILE} or mmbench_dev_en_20231003.tsv or MMBench_DEV_EN.tsv under "ROOT", which holds mmbench_test_20230712.tsv.`,
    ],
    [
      'no answers, as in the test split',
      { [FILE]: tsv([header.filter((name) => name !== 'answer'), first.filter((_, place) => place !== 7)]) },
      `${FILE}, line 1: expected the columns index, question, hint, A, B, C, D, answer, category, image, received "index", "question", "hint", "A", "B", "C", "D", "category" and 5 more.`,
    ],
    [
      'an answer that is no option',
      { [FILE]: tsv([header, set(first, 'answer', 'D')]) },
      `${FILE}, line 2: answer: expected one of A, B, C, received "D".`,
    ],
    [
      'a picture of no row',
      { [FILE]: tsv([header, set(second, 'image', '77')]) },
      `${FILE}, line 2: image: expected base64, or the index of a row that has it, received "77".`,
    ],
    [
      'an index twice',
      { [FILE]: tsv([header, first, first]) },
      `${FILE}, line 3: index: expected each once, received 241 again.`,
    ],
    [
      'an index that is no number',
      { [FILE]: tsv([header, set(first, 'index', 'x1')]) },
      `${FILE}, line 2: index: expected a number, received "x1".`,
    ],
    [
      'commas for tabs',
      { [FILE]: tsv(mmbenchRows).replaceAll('\t', ',') },
      `${FILE}, line 1: expected the columns index`,
    ],
  ]);
});
