/** The loaders of benchmarks that are answered in a word or a phrase: whole folders, and five broken ones each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breaks } from './breaks.js';
import { type Files, failure, load, PNG, without } from './folder.js';

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
