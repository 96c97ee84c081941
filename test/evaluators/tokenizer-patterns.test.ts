/** Patterns of a tokenizer.json: those of published tokenizers run, and none that is taken holds the thread up. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { compiled } from '../../src/tokenizer/library.js';
import { expectFewSteps } from '../../src/tokenizer/pattern-steps.js';
import { TextTokenizer } from '../../src/tokenizer/tokenizer.js';
import { somePattern } from '../fuzz/pattern-mutation.js';
import { Random } from '../fuzz/random.js';
import { goldenFolder } from './golden.js';

const { bases } = JSON.parse(readFileSync(`${goldenFolder}tokenizers.json`, 'utf8')) as {
  readonly bases: Readonly<Record<string, Record<string, unknown>>>;
};
const folder = mkdtempSync(join(tmpdir(), 'eta-tokenizer-patterns-'));
after(() => rmSync(folder, { recursive: true }));

async function load(parts: object): Promise<TextTokenizer> {
  const path = join(folder, 'tokenizer.json');
  writeFileSync(path, JSON.stringify({ ...bases['bpe'], ...parts }));
  return await TextTokenizer.load(path);
}

const CONTRACTED = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const [LARGE, SMALL] = ['\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}', '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}'];

/** As published tokenizers have them. */
const PUBLISHED: Readonly<Record<string, string>> = {
  CLIP: "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  'CLIP, spaces': '\\s+',
  'GPT-2': "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  'Llama 3': `${CONTRACTED}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  Qwen2: `${CONTRACTED}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  cl100k: `${CONTRACTED}|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`,
  o200k:
    `[^\\r\\n\\p{L}\\p{N}]?[${LARGE}]*[${SMALL}]+${CONTRACTED}?|[^\\r\\n\\p{L}\\p{N}]?[${LARGE}]+[${SMALL}]*${CONTRACTED}?` +
    '|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  'DeepSeek-V3':
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  'DeepSeek-V3, characters of Chinese and Japanese': '[一-龥぀-ゟ゠-ヿ]+',
  EXAONE: `${CONTRACTED}|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+`,
  BLOOM: ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  Falcon: '[0-9][0-9][0-9]',
  'DeBERTa, T5': ' {2,}',
  SigLIP: '[!"\\#\\$%\\&\'\\(\\)\\*\\+,\\-\\.:;=\\?@\\[\\\\\\]\\^_`\\{\\|\\}\\~]',
  'digits in threes from the right': '\\p{N}{1,3}(?=(?:\\p{N}{3})*(?:\\P{N}|$))',
  'whole words': '\\b\\w+\\b',
  'lines of one kind or the other': '(?:\\r?\\n)+(?!\\r?\\n)',
};

for (const [name, Regex] of Object.entries(PUBLISHED)) {
  test(`taken: ${name}`, async () => {
    const pattern = { Regex };
    const tokenizer = await load({ pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false } });
    assert.ok((await tokenizer.encode('A ab')).length > 0);
    await load({ normalizer: { type: 'Replace', pattern, content: ' ' } });
  });
}

/** Each takes longer than anybody waits, of a text of a thousand characters. */
const HOSTILE = [
  ...['(a+)+$', '(a|aa)+$', '(a|a?)+$', '(a*)*b', '(a*?)*?b', '(?:(?:a?)*)*b', '(?:a{0,30}){0,30}b', '(x+x+)+y'],
  ...[
    '(?:.*,)+x',
    '(?:a?){24}a{24}$',
    'a*a*a*a*b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(\\w+\\s?)+$',
    '(.*)(.*)(.*)=.*=.*',
  ],
  ...['(?=(a+)+$)b', '(?!(a+)+$)b', '(?<=b(a+)+)c', '(a+|b)*c\\1', '(?>a+)*b', '(?:[^"]|".*?")*"$'],
];

for (const Regex of HOSTILE) {
  test(`refused, and named: ${Regex}`, async () => {
    const pattern = { Regex };
    const refused = {
      name: 'ModelError',
      code: 'ERR_MODEL_INVALID',
      message: /received one that cannot be read: a pattern ".+" that can match one text in so many ways/,
    };
    const split = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
    await assert.rejects(load({ pre_tokenizer: split }), refused);
    await assert.rejects(load({ pre_tokenizer: { type: 'Sequence', pretokenizers: [split] } }), refused);
    await assert.rejects(load({ normalizer: { type: 'Replace', pattern, content: '' } }), refused);
  });
}

test('refused before it runs over the tokens of its own, which can be as long as they like', async () => {
  const added_tokens = [{ id: 5000, content: `${'a'.repeat(26)}c`, special: false, normalized: true }];
  const pattern = { Regex: '(a+)+$' };
  const startedAt = performance.now();
  await assert.rejects(load({ added_tokens, normalizer: { type: 'Replace', pattern, content: '' } }), {
    code: 'ERR_MODEL_INVALID',
    message: /can match one text in so many ways/,
  });
  const ms = performance.now() - startedAt;
  assert.ok(ms < 2000, `${ms} ms`); // it takes twice as long for each letter more: seconds for these
});

test('a token of its own is looked for as the normalizer here leaves it, not as the library does', async () => {
  const added_tokens = [{ id: 5000, content: 'zaz', special: false, normalized: true }];
  for (const content of ['$$', '$&$&', 'q']) {
    const normalizer = { type: 'Replace', pattern: { Regex: 'a' }, content };
    const ids = await (await load({ added_tokens, normalizer })).encodeRendered('b zaz b');
    assert.equal(ids.filter((id) => id === 5000).length, 1, content);
  }
  // Not in the form that it had before.
  const normalizer = { type: 'Replace', pattern: { String: 'q' }, content: 'a' };
  const tokenizer = await load({ added_tokens: [{ ...added_tokens[0], content: 'zqz' }], normalizer });
  assert.ok((await tokenizer.encodeRendered('b zaz b')).includes(5000));
});

test('a token of its own that is longer than what is never cut is refused', async () => {
  const token = { id: 5000, special: true, normalized: false };
  await load({ added_tokens: [{ ...token, content: 'z'.repeat(256) }] });
  await assert.rejects(load({ added_tokens: [{ ...token, content: 'z'.repeat(257) }] }), {
    code: 'ERR_MODEL_INVALID',
    message: /added_tokens\.0\.content: expected at most 256 characters/,
  });
});

test('a group that is not read here is refused by name, whether JavaScript knows it or not', () => {
  for (const group of ['(?s:', '(?m:', '(?-i:', '(?s-i:', '(?i:', '(?>', '(?#', '(?']) {
    const said = `a pattern with the group "${group}`;
    const refused = (error: unknown) => error instanceof SyntaxError && error.message.startsWith(said);
    assert.throws(() => expectFewSteps(`${group}a*)${group}a*)${group}a*)b`), refused, group);
    assert.throws(() => expectFewSteps(`(?=${group}a)b)`), refused, group);
  }
  for (const source of ['(a)b', '(?:a)b', '(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(?<name>a)b', '[(?s:]', '\\(?s:'])
    expectFewSteps(source);
  // What the library writes in JavaScript's terms.
  for (const Regex of [CONTRACTED, '(?>a+)b', '(?i:a(?>b))'])
    assert.doesNotMatch(compiled({ Regex }).source, /\(\?[i>]/);
  for (const Regex of ['(?s:a)', '(?m:a)', '(?-i:a)', '(?i)a', '(?x:a)', '(?i-s:a)'])
    assert.throws(() => compiled({ Regex }), SyntaxError, Regex);
});

const TEXTS = ['a'.repeat(1023), `${'a'.repeat(1023)}c`, `${'ab'.repeat(511)}c`, `${'ba '.repeat(341)}c`];
/** Some hundred times what a thousand characters take where a pattern is taken. */
const PATIENCE_MS = 10_000;

/** Whether it comes to an end in time. */
function ends(pattern: RegExp, text: string, timeout: number): boolean {
  try {
    runInNewContext('for (const match of text.matchAll(pattern)) match;', { text, pattern }, { timeout });
    return true;
  } catch {
    return false;
  }
}

test('none that is taken holds the thread up, of thousands that nobody would write', () => {
  const random = new Random(23);
  let [taken, refused] = [0, 0];
  for (let i = 0; i < 3000; i++) {
    const pattern = new RegExp(somePattern(random), 'gu');
    try {
      expectFewSteps(pattern.source);
    } catch {
      refused++;
      continue;
    }
    taken++;
    for (const text of TEXTS) assert.ok(ends(pattern, text, PATIENCE_MS), `${pattern} of ${text.slice(0, 9)}`);
  }
  assert.ok(taken > 500 && refused > 500, `${taken} taken, ${refused} refused`);
  assert.ok(!ends(/(?:a+)+$/gu, `${'a'.repeat(1023)}c`, 500), 'the control comes to an end');
});

test('what is too long or too deep to be looked at is refused, at once', () => {
  const deep = (count: number, [begin, end]: readonly [string, string]) => begin.repeat(count) + end.repeat(count);
  const startedAt = performance.now();
  for (const Regex of [
    `(?:${'a?|'.repeat(1300)}b)*c`,
    ...[deep(60, ['(?=a?', ')']), deep(60, ['(?:', 'a?)*b']), deep(60, ['(?:a?', '){1,2}']), deep(2000, ['(', ')'])],
    ...['a'.repeat(100_000), '(?:(?:(?:a{99}){99}){99}){99}'],
  ]) {
    assert.throws(
      () => compiled({ Regex }),
      (error) => error instanceof SyntaxError && /^a pattern|^Invalid regular expression/.test(error.message),
      `${Regex.slice(0, 40)} is taken`,
    );
  }
  // Long, and harmless.
  for (const Regex of ['a?'.repeat(2000), '(?:a?b)'.repeat(580), '(?:a{16}){16}'.repeat(10), '(?=a?)'.repeat(600)])
    compiled({ Regex });
  const ms = performance.now() - startedAt;
  assert.ok(ms < 5000, `${ms} ms`);
});

test('a text that its tokenizer makes longer and longer is an error; one that grows as normal forms do is none', async () => {
  const grow = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(250) };
  const broken = {
    name: 'EvaluatorError',
    code: 'ERR_EVALUATOR',
    message: /received a text of \d+ characters, more than/,
  };
  const normalizer = { type: 'Sequence', normalizers: Array(8).fill(grow) };
  await assert.rejects((await load({ normalizer })).encode('a'), broken);
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const pre_tokenizer = { type: 'Sequence', pretokenizers: Array(60).fill(bytes) };
  await assert.rejects((await load({ pre_tokenizer })).encode('é'), broken);
  const pattern = { Regex: '\\s+(?!\\S)|\\s+' };
  const normal = await load({
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern, content: ' ' }] },
    pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false },
  });
  assert.ok((await normal.encode('ﷺ'.repeat(1024))).length > 1024);
});

test('steps without end are refused before they are read', async () => {
  const of = (count: number) => ({ type: 'Sequence', normalizers: Array(count).fill({ type: 'NFC' }) });
  const message = /normalizer: expected at most 64 steps/;
  await assert.rejects(load({ normalizer: of(64) }), { code: 'ERR_MODEL_INVALID', message });
  const nested = `${'{"type":"Sequence","normalizers":['.repeat(20_000)}{"type":"NFC"}${']}'.repeat(20_000)}`;
  const path = join(folder, 'nested.json');
  writeFileSync(path, JSON.stringify({ ...bases['bpe'], normalizer: '?' }).replace('"?"', nested));
  await assert.rejects(TextTokenizer.load(path), { code: 'ERR_MODEL_INVALID', message });
  await load({ normalizer: of(63) });
});
