/** Conversations that share their beginning are tokenised once where they do: the ids are those of the whole, each time. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { rewardManifestSchema } from '../../src/manifest/manifest.js';
import { RewardPrompt } from '../../src/reward/prompt.js';
import { KeptSections } from '../../src/tokenizer/sections.js';
import { TextTokenizer } from '../../src/tokenizer/tokenizer.js';
import { readTokenizerFile } from '../../src/tokenizer/tokenizer-file.js';
import { wordsOf } from '../../src/tokenizer/words.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FILES = ['test/golden', 'models/miniature'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /[\\/]tokenizer\.json$/.test(name))
    .map((name) => join(root, folder, name)),
);

/** The same numbers each time. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const BITS = [
  ...[
    'The',
    ' the',
    'car',
    ' is',
    'n’t',
    'safe',
    '.',
    ', ',
    '!',
    '?',
    ' ',
    '  ',
    '\n',
    '\n\n',
    '\t',
    '\r\n',
    '3.14',
    '12',
  ],
  ...[
    'é',
    'e\u0301',
    'ß',
    '中文',
    '日本',
    '😀',
    '👍🏽',
    '👩‍👩‍👧',
    '\uD83D',
    '\u200D',
    '\uFE0F',
    '\u00A0',
    '▁',
    'Ġ',
    '<',
    '>',
    '|',
    '</',
  ],
  ...[
    '<|im_end|',
    '|im_end|>',
    '< |im_end|>',
    '<|im_end|> ',
    '[SEP',
    '</s',
    '<|eot_id|>x',
    'user',
    'assistant',
    '<think>',
  ],
];

interface Case {
  readonly path: string;
  readonly json: ConstructorParameters<typeof Tokenizer>[0] & { readonly added_tokens: readonly { content: string }[] };
}

const cases: readonly Case[] = FILES.map((path) => ({ path, json: JSON.parse(readFileSync(path, 'utf8')) }));

test('of random texts between the tokenizer’s own tokens, the ids are those of the library’s whole', async () => {
  let parted = 0;
  for (const { path, json } of cases) {
    const library = new Tokenizer(json, {});
    const { pre_tokenizer: words } = (await readTokenizerFile(path)).json;
    if (words?.type === 'Whitespace') library.pre_tokenizer = wordsOf(words); // the library's own is for ASCII alone
    const tokenizer = await TextTokenizer.load(path);
    const encode = (text: string) => library.encode(text, { add_special_tokens: false }).ids;
    if (KeptSections.of(json as never, encode) !== null) parted++;
    const bits = [...BITS, ...json.added_tokens.slice(0, 40).map((token: { content: string }) => token.content)];
    const draw = draws(7);
    const text = () => Array.from({ length: draw(14) }, () => bits[draw(bits.length)]).join('');
    const shared = Array.from({ length: 6 }, text);
    for (let i = 0; i < 300; i++) {
      const whole = `${shared[draw(6)]}${shared[draw(6)]}${text()}`; // at seams inside words, pairs and look-alikes too
      assert.deepEqual(await tokenizer.encodeRendered(whole), encode(whole), `${path}: ${JSON.stringify(whole)}`);
    }
  }
  assert.ok(parted >= 15, `${parted} of ${cases.length} can be cut`);
});

test('every chat template that ships or is pinned: each answer’s conversation as a fresh tokenizer has it', async () => {
  let count = 0;
  for (const { path } of cases) {
    const manifest = rewardManifestSchema.safeParse(
      JSON.parse(readFileSync(join(dirname(path), 'manifest.json'), 'utf8')),
    );
    if (!manifest.success || manifest.data.prompt.form !== 'chat-template') continue;
    count++;
    const kept = new RewardPrompt(manifest.data, await TextTokenizer.load(path));
    const draw = draws(11);
    const text = () => Array.from({ length: 1 + draw(9) }, () => BITS[draw(BITS.length)]).join('');
    for (let i = 0; i < 8; i++) {
      const turns = [{ role: 'user' as const, content: `What ${text()}` }];
      await kept.prefix(turns);
      let accepted = '';
      for (let round = 0; round < 4; round++) {
        const answers = [text(), text()].map((continuation) => accepted + continuation);
        for (const answer of answers) {
          const fresh = new RewardPrompt(manifest.data, await TextTokenizer.load(path));
          assert.deepEqual(await kept.sequence(turns, answer), await fresh.sequence(turns, answer), path);
        }
        accepted = answers[draw(2)] ?? '';
      }
    }
  }
  assert.ok(count >= 8, `${count} templates`);
});

const byWords = {
  model: { type: 'BPE', vocab: { '▁': 0, a: 1, '▁a': 2, b: 3 }, merges: ['▁ a'] },
  added_tokens: [{ id: 9, content: '<x>', special: true, normalized: false }],
  normalizer: null,
  post_processor: null,
  decoder: null,
};

test('where a section depends on its neighbours, nothing is cut', () => {
  const words = (prepend_scheme: string) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme });
  const json = (changes: object) => ({ ...byWords, pre_tokenizer: words('never'), ...changes }) as never;
  const canBeCut = (changes: object) => KeptSections.of(json(changes), () => []) !== null;
  const own = (changes: object) => ({ added_tokens: [{ ...byWords.added_tokens[0], ...changes }] });
  assert.equal(canBeCut({}), true, 'the control');
  assert.equal(canBeCut({ pre_tokenizer: words('first') }), false);
  assert.equal(canBeCut({ pre_tokenizer: { type: 'Sequence', pretokenizers: [words('first')] } }), false);
  assert.equal(canBeCut(own({ lstrip: true })), false);
  assert.equal(canBeCut(own({ rstrip: true })), false);
  assert.equal(canBeCut({ added_tokens: [] }), false);
  assert.equal(canBeCut({ ...own({ normalized: true }), normalizer: { type: 'NFC' } }), false);
  // What would come of it otherwise: the space in front is the first section's alone.
  const library = new Tokenizer(json({ pre_tokenizer: words('first') }), {});
  const ids = (text: string) => library.encode(text, { add_special_tokens: false }).ids;
  assert.notDeepEqual(ids('a<x>a'), [...ids('a'), ...ids('<x>'), ...ids('a')]);
});

test('of tokens that begin alike the longest parts', () => {
  const longer = { ...byWords.added_tokens[0], id: 10, content: '<x>b' };
  const json = { ...byWords, added_tokens: [...byWords.added_tokens, longer], pre_tokenizer: null } as never;
  const library = new Tokenizer(json, {});
  const ids = (text: string) => library.encode(text, { add_special_tokens: false }).ids;
  const sections = KeptSections.of(json, ids);
  for (const text of ['a<x>ba', '<x>b<x>', 'a<x', '']) assert.deepEqual(sections?.ids(text), ids(text), text);
});

test('what is kept is what repeats: a section is tokenised once', () => {
  const asked: string[] = [];
  const sections = KeptSections.of({ ...byWords, pre_tokenizer: null } as never, (text) => {
    asked.push(text);
    return [text.length];
  });
  for (const answer of ['one', 'two']) sections?.ids(`<x>the question<x>${answer}<x>`);
  assert.deepEqual(asked, ['<x>', 'the question', 'one', 'two']);
  for (let i = 0; i < 400; i++) sections?.ids(`<x>${i}`);
  asked.length = 0;
  sections?.ids('<x>the question');
  assert.deepEqual(asked, ['the question'], 'of many, the oldest go');
});
