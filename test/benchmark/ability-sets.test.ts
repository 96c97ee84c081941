/** The loaders of the general benchmarks and of a person's own: whole folders, and five broken ones each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limited, rates } from '../../src/benchmark/index.js';
import { decodeImage } from '../../src/image/index.js';
import { judged } from './answers.js';
import { breaks } from './breaks.js';
import { type Files, failure, load, PNG, without } from './folder.js';

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

const people = ['nokia', 'nokia', 'nokia', 'nokia', 'Nokia', 'nokia ', 'ericsson', 'toshiba', 'nokia', 'lg'];
const textvqaQuestions = [
  {
    image: 'ab12.jpg',
    question_id: 'ab12',
    category: 'default',
    text: 'what is the brand?\nReference OCR token: NOKIA, x\nAnswer the question using a single word or phrase.',
  },
  {
    image: 'ab12.jpg',
    question_id: 'ab12',
    category: 'default',
    text: 'Reference OCR token: NOKIA\nwho made it?\nAnswer the question using a single word or phrase.',
  },
];
const textvqa: Files = {
  'llava_textvqa_val_v051_ocr.jsonl': textvqaQuestions.map((line) => JSON.stringify(line)).join('\n'),
  'TextVQA_0.5.1_val.json': JSON.stringify({
    dataset_type: 'val',
    data: [
      { image_id: 'ab12', question_id: 1, question: 'What is the brand?', answers: people },
      { image_id: 'ab12', question_id: 2, question: 'who made it?', answers: people },
    ],
  }),
  'train_images/ab12.jpg': PNG,
};

test('TextVQA: questions with the words read by OCR, and without; the same picture twice', async () => {
  const items = await load('textvqa', textvqa);
  assert.deepEqual(
    items.map(({ id, prompt }) => [id, prompt]),
    [
      ['ab12', textvqaQuestions[0]?.text],
      ['ab12/1', textvqaQuestions[1]?.text],
    ],
  );
  assert.deepEqual(items[0]?.key, { kind: 'vqa', answers: people });
  const plain = await load('textvqa', textvqa, 'plain');
  assert.deepEqual(
    plain.map(({ prompt }) => prompt),
    ['what is the brand?', 'who made it?'].map((text) => `${text}\nAnswer the question using a single word or phrase.`),
  );
});

test('TextVQA: broken folders', async () => {
  const questions = 'llava_textvqa_val_v051_ocr.jsonl';
  const annotations = 'TextVQA_0.5.1_val.json';
  const row = (line: unknown) => ({ ...textvqa, [questions]: `${textvqa[questions]}\n${JSON.stringify(line)}\n` });
  await breaks('textvqa', [
    [
      'no annotations',
      without(textvqa, annotations),
      `expected ${annotations} under "ROOT", which holds ${questions}, train_images/.`,
    ],
    ['no picture', without(textvqa, 'train_images/ab12.jpg'), 'expected train_images/ab12.jpg under "ROOT"'],
    [
      'a line that is no JSON',
      { ...textvqa, [questions]: `${textvqa[questions]}\n{"image": ` },
      `${questions}, line 3: expected JSON, received "{\\"image\\":"`,
    ],
    [
      'a line without text',
      row({ image: 'ab12.jpg', question_id: 'ab12' }),
      `${questions}, line 3: text: expected a text; received nothing.`,
    ],
    [
      'a question that nobody answers',
      row({ image: 'ab12.jpg', question_id: 'ab12', text: 'Why?\nAnswer' }),
      `${questions}, line 3: expected a question that ${annotations} answers, received "Why?" about ab12.`,
    ],
    [
      'nine answers',
      {
        ...textvqa,
        [annotations]: JSON.stringify({ data: [{ image_id: 'ab12', question: 'q', answers: people.slice(1) }] }),
      },
      `${annotations}: data.0.answers: expected 10 answers; received an array of 9.`,
    ],
  ]);
});

const IMAGE = 'COCO_val2014_000000310196.jpg';
function pope(): Files {
  const questions = ['random', 'popular', 'adversarial'].flatMap((category, place) =>
    [0, 1].map((index) => ({
      question_id: place * 2 + index + 1,
      image: IMAGE,
      text: `Is there a ${['snowboard', 'dog'][index]} in the image?\nAnswer the question using a single word or phrase.`,
      category,
    })),
  );
  const labels = [0, 1].map((index) =>
    JSON.stringify({
      question_id: index + 1,
      image: IMAGE,
      text: `Is there a ${['snowboard', 'dog'][index]} in the image?`,
      label: ['yes', 'no'][index],
    }),
  );
  return {
    'llava_pope_test.jsonl': questions.map((line) => JSON.stringify(line)).join('\n'),
    ...Object.fromEntries(
      ['random', 'popular', 'adversarial'].map((subset) => [`coco/coco_pope_${subset}.json`, `${labels.join('\n')}\n`]),
    ),
    [`val2014/${IMAGE}`]: PNG,
  };
}

test('POPE: three subsets, labels by their order', async () => {
  const items = await load('pope', pope());
  assert.deepEqual(
    items.map(({ id, category, key }) => [id, category, key?.kind === 'yes-no' && key.right]),
    [
      ['random/1', 'random', 'yes'],
      ['random/2', 'random', 'no'],
      ['popular/3', 'popular', 'yes'],
      ['popular/4', 'popular', 'no'],
      ['adversarial/5', 'adversarial', 'yes'],
      ['adversarial/6', 'adversarial', 'no'],
    ],
  );
});

test("POPE's own folder alone, laid out as its repository, as LLaVA does, or bare: the questions as they are, or with LLaVA's words", async () => {
  const files = without(pope(), 'llava_pope_test.jsonl');
  const renamed = (place: string) =>
    Object.fromEntries(Object.entries(files).map(([path, content]) => [path.replace(/^coco\//, place), content]));
  for (const place of ['coco/', 'output/coco/', '']) {
    const items = await load('pope', renamed(place));
    assert.deepEqual(
      items.map(({ id, prompt, key }) => [id, prompt.split('\n'), key?.kind === 'yes-no' && key.right]),
      ['random', 'popular', 'adversarial'].flatMap((subset) => [
        [
          `${subset}/1`,
          ['Is there a snowboard in the image?', 'Answer the question using a single word or phrase.'],
          'yes',
        ],
        [`${subset}/2`, ['Is there a dog in the image?', 'Answer the question using a single word or phrase.'], 'no'],
      ]),
    );
  }
  for (const any of [files, pope()])
    assert.deepEqual(
      (await load('pope', any, 'plain')).slice(0, 2).map(({ prompt }) => prompt),
      ['Is there a snowboard in the image?', 'Is there a dog in the image?'],
    );
});

test('POPE: 3 x 3,000 of the authors; LLaVA asks 90 fewer of the first, and labels of another version are told', async () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      JSON.stringify({ question_id: index + 1, image: IMAGE, text: `Is there a ${index}?`, label: 'no' }),
    );
  const asked = (subset: string, count: number) =>
    Array.from({ length: count }, (_, index) =>
      JSON.stringify({
        question_id: `${subset}${index}`,
        image: IMAGE,
        text: `Is there a ${index}?\nAnswer the question using a single word or phrase.`,
        category: subset,
      }),
    );
  const authors = (random: number): Files => ({
    'coco/coco_pope_random.json': lines(random).join('\n'),
    'coco/coco_pope_popular.json': lines(3000).join('\n'),
    'coco/coco_pope_adversarial.json': lines(3000).join('\n'),
    [`val2014/${IMAGE}`]: PNG,
  });
  const llava = {
    'llava_pope_test.jsonl': [...asked('random', 2910), ...asked('popular', 3000), ...asked('adversarial', 3000)].join(
      '\n',
    ),
  };
  assert.equal((await load('pope', authors(3000))).length, 9000);
  assert.equal((await load('pope', { ...authors(2910), ...llava })).length, 8910);
  assert.match(
    await failure('pope', { ...authors(3000), ...llava }),
    /coco\/coco_pope_random\.json: expected as many labels as llava_pope_test\.jsonl has random questions, 2910, received 3000\. LLaVA's questions are those of POPE's files at commit e3e39262: take those files, or take llava_pope_test\.jsonl away, and today's 3 x 3,000 are asked\./,
  );
});

test('POPE: broken folders', async () => {
  const files = pope();
  const file = 'coco/coco_pope_popular.json';
  const [first = '', second = ''] = String(files[file]).split('\n');
  await breaks('pope', [
    [
      'no labels',
      without(files, file),
      `expected ${file} or output/${file} or coco_pope_popular.json under "ROOT", which holds coco/, llava_pope_test.jsonl, val2014/.`,
    ],
    ['no photograph', without(files, `val2014/${IMAGE}`), `expected val2014/${IMAGE} under "ROOT"`],
    [
      'a label missing',
      { ...files, [file]: first },
      `${file}: expected as many labels as llava_pope_test.jsonl has popular questions, 2, received 1.`,
    ],
    [
      'labels in another order',
      { ...files, [file]: `${second}\n${first}` },
      `${file}, line 1: expected the label of "Is there a snowboard in the image?" about ${IMAGE} (llava_pope_test.jsonl, line 3), received that of "Is there a dog in the image?" about ${IMAGE}.`,
    ],
    [
      'a label that is none',
      { ...files, [file]: `${first}\n${second.replace('"no"', '"maybe"')}` },
      `${file}, line 2: label: expected yes or no; received "maybe".`,
    ],
    [
      'a subset unknown',
      { ...files, 'llava_pope_test.jsonl': String(files['llava_pope_test.jsonl']).replace('"popular"', '"common"') },
      'llava_pope_test.jsonl, line 3: category: expected random, popular, adversarial; received "common".',
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
