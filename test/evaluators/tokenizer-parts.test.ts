/** Every part that a tokenizer.json may have: ids as Hugging Face's own library gives them, or a refusal that names the part. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TextTokenizer } from '../../src/tokenizer/tokenizer.js';
import { goldenFolder } from './golden.js';

interface Golden {
  readonly texts: readonly string[];
  readonly bases: Readonly<Record<string, Record<string, unknown>>>;
  readonly cases: readonly {
    readonly name: string;
    readonly base: string;
    readonly parts: Record<string, unknown>;
    readonly ids: readonly (readonly number[])[];
    readonly framed: readonly number[];
    readonly pair: { readonly ids: readonly number[]; readonly types: readonly number[] };
  }[];
}

const golden = JSON.parse(readFileSync(`${goldenFolder}tokenizers.json`, 'utf8')) as Golden;
const folder = mkdtempSync(join(tmpdir(), 'eta-tokenizer-parts-'));
after(() => rmSync(folder, { recursive: true }));

async function load(json: unknown): Promise<TextTokenizer> {
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify(json));
  return await TextTokenizer.load(path);
}

for (const { name, base, parts, ids, framed, pair } of golden.cases) {
  test(name, async () => {
    const tokenizer = await load({ ...golden.bases[base], ...parts });
    for (const [at, text] of golden.texts.entries())
      assert.deepEqual(await tokenizer.encodeRendered(text), ids[at], JSON.stringify(text));
    assert.deepEqual(await tokenizer.encode(golden.texts[0] ?? ''), framed);
    const { ids: found, types } = await tokenizer.encodePair(golden.texts[0] ?? '', 'a dog');
    assert.deepEqual({ ids: found, types }, pair);
  });
}

const REFUSED: readonly (readonly [what: string, base: string, parts: object, said: RegExp])[] = [
  [
    'UnicodeScripts',
    'bpe',
    { pre_tokenizer: { type: 'UnicodeScripts' } },
    /pre_tokenizer\.type: expected a pre-tokenizer .*"UnicodeScripts"/,
  ],
  ['FixedLength', 'bpe', { pre_tokenizer: { type: 'FixedLength', length: 5 } }, /"FixedLength"/],
  [
    'CharDelimiterSplit',
    'bpe',
    { pre_tokenizer: { type: 'CharDelimiterSplit', delimiter: '|' } },
    /"CharDelimiterSplit"/,
  ],
  ['Nmt', 'bpe', { normalizer: { type: 'Nmt' } }, /normalizer\.type: expected a normalizer .*"Nmt"/],
  ['ByteLevel, a normalizer', 'bpe', { normalizer: { type: 'ByteLevel' } }, /normalizer\.type: .*"ByteLevel"/],
  [
    'a post-processor',
    'bpe',
    { post_processor: { type: 'Upside' } },
    /post_processor\.type: expected a post-processor .*"Upside"/,
  ],
  [
    'a model',
    'bpe',
    { model: { type: 'Upside', vocab: {} } },
    /model\.type: expected a model .*\(BPE, WordPiece, WordLevel, Unigram\).*"Upside"/,
  ],
];

for (const [what, base, parts, said] of REFUSED) {
  test(`not read here, and named: ${what}`, async () => {
    await assert.rejects(load({ ...golden.bases[base], ...parts }), {
      name: 'ModelError',
      code: 'ERR_MODEL_INVALID',
      message: said,
    });
  });
}

test('a decoder is not asked for, and not looked at', async () => {
  const tokenizer = await load({ ...golden.bases['bpe'], decoder: { type: 'Upside' } });
  assert.ok((await tokenizer.encode('The quick brown fox')).length > 0);
});

test('a template that leaves one of two texts out loses neither', async () => {
  const [sequenceOf, texts] = [(id: string) => ({ Sequence: { id, type_id: 0 } }), ['a cat', 'a dog']] as const;
  for (const only of ['A', 'B']) {
    const processor = { type: 'TemplateProcessing', single: [sequenceOf('A')], pair: [sequenceOf(only)] };
    const tokenizer = await load({ ...golden.bases['bpe'], post_processor: { ...processor, special_tokens: {} } });
    const both = await Promise.all(texts.map((text) => tokenizer.encodeRendered(text)));
    assert.ok(both.every((ids) => ids.length > 0));
    assert.deepEqual((await tokenizer.encodePair(texts[0], texts[1])).ids, both.flat());
  }
});

const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });

test('a template with the second text before the first: each where it says', async () => {
  const [end] = await (await load(golden.bases['bpe'])).encodeRendered('[SEP]');
  const post_processor = {
    type: 'TemplateProcessing',
    single: [sequence('A', 0)],
    pair: [special('[SEP]', 2), sequence('B', 1), special('[SEP]', 3), sequence('A', 0)],
    special_tokens: { '[SEP]': { id: '[SEP]', ids: [end], tokens: ['[SEP]'] } },
  };
  const tokenizer = await load({ ...golden.bases['bpe'], post_processor });
  const [one, other] = [await tokenizer.encodeRendered('a cat and more'), await tokenizer.encodeRendered('a dog')];
  assert.notEqual(one.length, other.length);
  const { ids, types, headCount, tailCount } = await tokenizer.encodePair('a cat and more', 'a dog');
  assert.deepEqual(ids, [end, ...other, end, ...one]);
  assert.deepEqual(types, [2, ...other.map(() => 1), 3, ...one.map(() => 0)]);
  assert.deepEqual(ids.slice(headCount, ids.length - tailCount), other);
});

test('a template with one text twice is refused', async () => {
  for (const [what, single, pair] of [
    ['A', [sequence('A', 0), sequence('A', 0)], [sequence('A', 0), sequence('B', 0)]],
    ['B', [sequence('A', 0)], [sequence('B', 0), sequence('A', 0), sequence('B', 0)]],
  ] as const) {
    const post_processor = { type: 'TemplateProcessing', single, pair, special_tokens: {} };
    await assert.rejects(load({ ...golden.bases['bpe'], post_processor }), {
      code: 'ERR_MODEL_INVALID',
      message: new RegExp(`its post-processor puts the text ${what} in twice`),
    });
  }
});
