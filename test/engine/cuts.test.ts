/** A text that is tokenised in slices has the tokens of the whole, in every tokenizer that llama.cpp knows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadBinding } from '../../src/native/binding.js';
import type { NativeModel, NativeTextPiece } from '../../src/native/model-types.js';
import { hollowModel, llamaSource } from './hollow-model.js';

const MOST_TOKENS = 2 ** 31 - 1;

/** Vocabularies of llama.cpp's sources: SentencePiece, BPE, WordPiece, unigrams. */
const VOCABULARIES = [
  'llama-spm',
  'phi-3',
  'baichuan',
  'llama-bpe',
  'qwen2',
  'qwen35',
  'gemma-4',
  'gpt-2',
  'gpt-neox',
  'falcon',
  'mpt',
  'starcoder',
  'refact',
  'command-r',
  'aquila',
  'deepseek-llm',
  'deepseek-coder',
  'bert-bge',
  'nomic-bert-moe',
];

/** Kinds for vocabularies without GPT-2's letters, which stand for themselves above. */
const OF_OTHER_LETTERS = ['gemma4', 'granite-embed-multi-311m', 'sarvam-moe', 'whitespace'];

/** One name of each kind. */
const PRE_TOKENIZERS = llamaSource('src/llama-vocab.cpp')
  .split(/pre_type = LLAMA_VOCAB_PRE_TYPE_\w+;/)
  .flatMap((before) => [...before.matchAll(/tokenizer_pre == "([^"]+)"/g)].at(-1)?.[1] ?? [])
  .filter((name) => !OF_OTHER_LETTERS.includes(name));

const PIECES = [
  ...['a', 'b', 'the', 'word', "it's", "I'll", 'WORD', 'camelCase', 'x', 's', 't', 're'],
  ...[' ', ' ', ' ', '  ', '   ', '\n', '\n', '\n\n', ' \n', '\r\n', '\t', '\u00a0', '\u3000', '\u2028', '\u0085'],
  ...[
    '.',
    ',',
    '!',
    '?',
    '/',
    '//',
    '"',
    "'",
    '(',
    ')',
    '<',
    '>',
    '<<',
    '|',
    '-',
    '--',
    '_',
    '#',
    '=',
    '$',
    '…',
    '、',
    '。',
  ],
  ...['1', '12', '123', '1234', '3.14', '٣', 'Ⅷ', '½'],
  ...[
    'é',
    'ß',
    'ñ',
    'Ж',
    'слово',
    'ا',
    'سلام',
    'हि',
    '中',
    '文字',
    'かな',
    '한국어',
    '🙂',
    '👩‍👩‍👧',
    '\u0301',
    'e\u0301',
    '\u200b',
    '▁',
    '▁▁',
  ],
  ...[
    '\u0000',
    '\u0001',
    '\ufeff',
    '\ufffd',
    '<s>',
    '</s>',
    '<unk>',
    '<0x0A>',
    '<|im_end|>',
    '<|eot_id|>',
    '<mask>',
    '[MASK]',
    '<dna>',
  ],
];

const ENDLESS: readonly (readonly [string, number])[] = [
  ...['!', ' ', '\u0301', '中'].map((character) => [character, 20_000] as const),
  ['a', 2 ** 18],
  ['a', 1_000_000],
];

/** The same on every machine. */
function randomTexts(count: number, length: number): string[] {
  let state = 7;
  const random = (bound: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % bound;
  };
  return Array.from({ length: count }, () => {
    const kept = Array.from({ length: 3 + random(20) }, () => PIECES[random(PIECES.length)] ?? '');
    return Array.from({ length: 1 + random(length) }, () => kept[random(kept.length)]).join('');
  });
}

const REAL_TEXTS = ['README.md', 'docs/engine.md', 'src/engine/sequence.ts'].map((path) =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').slice(0, 20_000),
);

const TEXTS = [...randomTexts(400, 120), ...REAL_TEXTS];

async function loaded(options: Parameters<typeof hollowModel>[0]): Promise<NativeModel> {
  return await loadBinding().loadModel({
    modelPath: hollowModel(options),
    gpuLayerCount: 0,
    projectorOnGpu: false,
    threadCount: 1,
    useMmap: true,
    useMlock: false,
  }).model;
}

async function compare(model: NativeModel, name: string, texts = TEXTS): Promise<void> {
  const tokens = (
    pieces: readonly NativeTextPiece[],
    sliceBytes: number,
    isContinued: boolean,
    maxTokens = MOST_TOKENS,
  ) => model.tokenize(pieces, { isContinued, maxTokens, sliceBytes }).tokens;
  for (const [index, text] of texts.entries()) {
    const parseSpecial = index % 2 === 0;
    const isContinued = index % 3 === 0;
    const pieces = [{ text, parseSpecial }];
    const whole = await tokens(pieces, 2 ** 30, isContinued);
    assert.deepEqual(await tokens(pieces, 1, isContinued), whole, `${name}: ${JSON.stringify(text)}`);
    assert.deepEqual(await tokens(pieces, 1, isContinued, whole.length), whole, `${name}: what fits is not refused`);
  }
}

for (const vocabulary of VOCABULARIES) {
  test(`slices of ${vocabulary}`, async () => {
    const model = await loaded({ vocabulary });
    await compare(model, vocabulary);
    await model.dispose();
  });
}

/** Every third, or all where that time is given: `npm run proofs` does. */
const TRIED =
  process.env.ETA_VLM_EVERY_TOKENIZER === '1' ? PRE_TOKENIZERS : PRE_TOKENIZERS.filter((_, at) => at % 3 === 0);

test('slices of pre-tokenizers, and characters without end', async () => {
  assert.ok(PRE_TOKENIZERS.length > 50, `${PRE_TOKENIZERS.length} are known`);
  for (const preTokenizer of TRIED) {
    const model = await loaded({ vocabulary: 'pairs', preTokenizer });
    await compare(model, preTokenizer, TEXTS.slice(0, 150));
    // libstdc++ matches a regular expression by recursion: this would leave the stack of any other thread.
    for (const [character, count] of ENDLESS) {
      const pieces = [{ text: character.repeat(count), parseSpecial: false }];
      const { tokens } = model.tokenize(pieces, { isContinued: false, maxTokens: MOST_TOKENS, sliceBytes: 2 ** 14 });
      const isRefused = count > 2 ** 18;
      if (isRefused)
        await assert.rejects(
          tokens,
          {
            code: 'INVALID_ARGUMENT',
            message: /262144 characters, for this model's tokenizer, but received a longer stretch/,
          },
          preTokenizer,
        );
      else assert.ok((await tokens).length > 0, preTokenizer);
    }
    await model.dispose();
  }
});

/** Characters on either side of a single space. */
const NEIGHBOURS = [
  ...[
    'a',
    'Z',
    'é',
    'ß',
    'Ž',
    'ǅ',
    'Ж',
    'ӂ',
    'Ω',
    'ά',
    'ế',
    'ﬁ',
    '\u00aa',
    '\u02b0',
    'Ա',
    'ა',
    'ა\u0301',
    'ש',
    'ا',
    'ۓ',
    'ह',
    'हि',
    'ন',
    'த',
  ],
  ...[
    'ไ',
    'か',
    'ー',
    'カ',
    '中',
    '㐀',
    '한',
    'ㄱ',
    '7',
    '٣',
    '½',
    'Ⅷ',
    '.',
    ',',
    ')',
    '(',
    "'",
    '/',
    '$',
    '+',
    '|',
    '~',
    '-',
    '_',
    '"',
  ],
  ...['…', '、', '。', '،', '।', '！', '🙂', '\u0301', '\u200d', '\u0001', '▁', '€', '’'],
];

test('a single space between any two characters, in pre-tokenizers', async () => {
  const texts = NEIGHBOURS.map((left) => NEIGHBOURS.map((right) => `${left} ${right}`).join(' '));
  for (const preTokenizer of TRIED) {
    const model = await loaded({ vocabulary: 'pairs', preTokenizer });
    for (const text of texts) {
      const tokens = (sliceBytes: number) =>
        model.tokenize([{ text, parseSpecial: false }], { isContinued: false, maxTokens: MOST_TOKENS, sliceBytes })
          .tokens;
      assert.deepEqual(await tokens(1), await tokens(2 ** 30), `${preTokenizer}: ${JSON.stringify(text)}`);
    }
    await model.dispose();
  }
});

test('texts of every script are read in parts: a short one overtakes them', async () => {
  for (const vocabulary of ['qwen2', 'llama-bpe', 'gpt-2', 'llama-spm']) {
    const model = await loaded({ vocabulary });
    for (const unit of [
      'the word ',
      'слово дело ',
      'λέξη έργο ',
      '漢字の話 ',
      '한국어 말 ',
      'كلمة عمل ',
      'שלום עולם ',
      'काम शब्द ',
      '1, 2, 3, ',
    ]) {
      const options = { isContinued: false, maxTokens: MOST_TOKENS, sliceBytes: 2 ** 11 };
      const long = model.tokenize([{ text: unit.repeat(20_000), parseSpecial: false }], options).tokens;
      let isRead = false;
      const reading = long.then(() => {
        isRead = true;
      });
      await model.tokenize([{ text: 'hi', parseSpecial: false }], options).tokens;
      assert.equal(isRead, false, `${vocabulary}: ${JSON.stringify(unit)}`);
      await reading;
    }
    await model.dispose();
  }
});

test('what is too long says what this tokenizer divides', async () => {
  const words = 'The red apple is here. '.repeat(12_000);
  const REFUSED = [
    ['gpt-2', 'a'.repeat(300_000), 'words, and stretches of white space, of at most 262144 characters'],
    ['exaone-moe', words, 'a single line end between two words at least every 262144 characters'],
    ['superbpe', words, 'a text of at most 262144 characters'],
    ['superbpe', `${'word\n'.repeat(60_000)}`, 'a text of at most 262144 characters'],
  ] as const;
  for (const [preTokenizer, text, expected] of REFUSED) {
    const model = await loaded({ vocabulary: 'gpt-2', preTokenizer });
    const options = { isContinued: false, maxTokens: MOST_TOKENS, sliceBytes: 2 ** 11 };
    await assert.rejects(model.tokenize([{ text, parseSpecial: false }], options).tokens, {
      code: 'INVALID_ARGUMENT',
      message: `Expected ${expected}, for this model's tokenizer, but received a longer stretch. Divide it.`,
    });
    await model.dispose();
  }
});

test('digits whose grouping takes quadratic time are refused', async () => {
  const model = await loaded({ vocabulary: 'pairs', preTokenizer: 'superbpe' });
  const read = (count: number) => {
    const pieces = [{ text: '7'.repeat(count), parseSpecial: false }];
    return model.tokenize(pieces, { isContinued: false, maxTokens: MOST_TOKENS, sliceBytes: 2 ** 11 }).tokens;
  };
  assert.ok((await read(512)).length > 100);
  await assert.rejects(read(20_000), { code: 'INVALID_ARGUMENT', message: /numbers of at most 512 digits/ });
  await model.dispose();
});
