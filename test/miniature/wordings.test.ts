/** The recipe's wordings of requests in words: what is tested was not trained on, and is enough to prove a rate. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SPLITS = ['train', 'validation', 'test'] as const;
type Wordings = Record<(typeof SPLITS)[number], string[]>;

/** The lists of models/recipe/world/requests.py, read as text: no test needs Python. */
function wordings(): Wordings {
  const source = readFileSync(`${root}models/recipe/world/requests.py`, 'utf8');
  const list = (split: string) => {
    const [, body] = source.match(new RegExp(`"${split}": \\[([\\s\\S]*?)\\n    \\],`)) ?? [];
    assert.ok(body !== undefined, `no list of ${split} wordings in requests.py`);
    return [...body.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
  };
  return { train: list('train'), validation: list('validation'), test: list('test') };
}

/** Without capitals and punctuation. */
const plain = (text: string) => (text.toLowerCase().match(/[a-z{}]+/g) ?? []).join(' ');

function shared(all: Wordings): string[] {
  const splits = SPLITS.map((split) => new Set(all[split].map(plain)));
  return splits.flatMap((one, index) =>
    splits.slice(index + 1).flatMap((other) => [...one].filter((x) => other.has(x))),
  );
}

test('no wording is in two splits, and the test wordings prove 99 %', () => {
  const all = wordings();
  assert.deepEqual(shared(all), []);
  assert.ok(all.train.length >= 100, `${all.train.length} training wordings`);
  assert.ok(all.test.length * 12 >= 500, `${all.test.length} test wordings for twelve hazards`);
});

test('a training wording planted among the test wordings is seen', () => {
  const all = wordings();
  const planted = {
    ...all,
    test: [...all.test, all.train[7]?.toUpperCase().replace('{AX}', '{ax}').replace('?', '!') ?? ''],
  };
  assert.equal(shared(planted).length, 1);
});

test("the shipped sample's requests in words are test wordings, harmful and harmless ones in the same", () => {
  const known = wordings();
  const { items } = JSON.parse(readFileSync(`${root}models/miniature/items.json`, 'utf8')) as {
    items: { set: string; kind: string; question: string }[];
  };
  const texts = items.filter(({ set }) => set === 'text');
  const fits = (forms: readonly string[], question: string) =>
    forms.some((form) => {
      const [before = '', after = ''] = form.split('{ax}');
      return question.startsWith(before) && question.endsWith(after) && question.length > form.length - 4;
    });
  assert.ok(texts.length >= 20, `${texts.length} requests in words`);
  assert.deepEqual(new Set(texts.map(({ kind }) => kind)), new Set(['harmful', 'harmless']));
  for (const { question } of texts) assert.ok(fits(known.test, question), `not a test wording: ${question}`);
});
