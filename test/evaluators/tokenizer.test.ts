/** Long texts: tokenised as the library does it whole, in linear time, between turns of the event loop, and not to their end. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import { Clip } from '../../src/clip/clip.js';
import { graphManifestSchema, readManifest } from '../../src/manifest/manifest.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/model.js';
import { RewardPrompt } from '../../src/reward/prompt.js';
import { TextTokenizer } from '../../src/tokenizer/tokenizer.js';
import { longestStretchMs } from '../stretch.js';
import { goldenFolder } from './golden.js';

const FILES = {
  bytes: `${goldenFolder}reward-scalar/tokenizer.json`,
  clip: `${goldenFolder}clip/tokenizer.json`,
  gemma: `${goldenFolder}formats/siglip2/tokenizer.json`,
  unigram: `${goldenFolder}formats/deberta/tokenizer.json`,
};

const PROSE = `The quick brown fox, "twice" (or 12 times) jumped over it's dogs... naïve café; e\u0301\u0323!\n\n  Indented 3.14 text\t& more: 中文，也有。 日本語 😀👍🏽 <|im_end|> don't\r\n`;

test('pieces give the ids of the whole', async () => {
  for (const [name, path] of Object.entries(FILES)) {
    const library = new Tokenizer(JSON.parse(await readFile(path, 'utf8')), {});
    const tokenizer = await TextTokenizer.load(path);
    for (const text of [
      PROSE.repeat(60),
      'word '.repeat(4000),
      'one, two,three;four\n'.repeat(500),
      'short',
      '',
      ' ',
    ]) {
      // SigLIP reads 64 tokens. The tiny vocabulary here, unlike Gemma's, has tokens that end with a space.
      const read = name === 'gemma' ? 300 : undefined;
      const expected = library.encode(text, { add_special_tokens: false }).ids.slice(0, read);
      const shown = `${name}: ${JSON.stringify(text.slice(0, 12))}`;
      assert.deepEqual((await tokenizer.encodeRendered(text)).slice(0, read), expected, shown);
      if (name !== 'gemma') assert.deepEqual(await tokenizer.encode(text), library.encode(text).ids, shown);
      const pair = library.encode(text, { text_pair: 'b c', return_token_type_ids: true });
      if (name !== 'unigram') continue; // the others have no frame for two
      const { ids, types, headCount, tailCount } = await tokenizer.encodePair(text, 'b c');
      assert.deepEqual([ids, types], [pair.ids, pair.token_type_ids], shown);
      assert.deepEqual(ids.slice(headCount, -tailCount), library.encode('b c', { add_special_tokens: false }).ids);
    }
  }
});

test('an empty second text is a pair all the same', async () => {
  const tokenizer = await TextTokenizer.load(FILES.unigram);
  // As the Rust tokenizer has it; the library takes an empty text for none.
  const { ids, types } = await tokenizer.encodePair('a b', '');
  assert.deepEqual(
    [ids, types],
    [
      [1, 21, 5, 130, 2, 2],
      [0, 0, 0, 0, 0, 1],
    ],
  );
});

test('a token of its own, a character and its marks are never cut', async () => {
  const tokenizer = await TextTokenizer.load(FILES.bytes);
  for (let shift = 0; shift < 40; shift++) {
    const ids = await tokenizer.encodeRendered(`${'<'.repeat(1000 + shift)}<|im_end|>${'e\u0301'.repeat(2000)}`);
    assert.equal(ids.filter((id) => id === 1).length, 1, `${shift}`);
    assert.equal(ids.length, 1000 + shift + 1 + 2 * 2000, `${shift}`); // é is two bytes, when its mark is with it
  }
});

/** Processor time of the shorter of two tries, in milliseconds: other processes of this machine take their time, too. */
async function shortest(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

for (const [name, path] of Object.entries(FILES)) {
  test(`${name}: the time goes with the length, whatever the text is made of`, async () => {
    const tokenizer = await TextTokenizer.load(path);
    for (const letter of ['<', '中', ' ', 'a', '\u0301\u0323', '<|im_end|>', 'fox ']) {
      const of = (count: number) => letter.repeat(Math.ceil(count / letter.length));
      const once = await shortest(() => tokenizer.encodeRendered(tokenizer.disarm(of(10_000))));
      const eightfold = await shortest(() => tokenizer.encodeRendered(tokenizer.disarm(of(80_000))));
      const shown = `${JSON.stringify(letter)}: ${once} ms, eight times as much ${eightfold} ms`;
      assert.ok(eightfold < 24 * once + 400, shown);
    }
  });
}

test('the event loop has its turns, and a signal is heard', async () => {
  const tokenizer = await TextTokenizer.load(FILES.bytes);
  const stretchMs = await longestStretchMs(async () => {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(tokenizer.encodeRendered('中'.repeat(1_000_000), { signal }), { code: 'ERR_ABORTED' });
    // Many short texts one after another are as much work as a long one.
    for (let i = 0; i < 200; i++) await tokenizer.encodeRendered('<'.repeat(2000));
  });
  assert.ok(stretchMs < 200, `${stretchMs} ms`);
});

test('how few tokens a text can have is said only where every character is in some token', async () => {
  const longest = async (path: string) => (await TextTokenizer.load(path)).longest;
  assert.equal(await longest(FILES.bytes), 12);
  for (const path of [FILES.clip, FILES.unigram]) assert.equal(await longest(path), Number.POSITIVE_INFINITY);
  const folder = await mkdtemp(join(tmpdir(), 'eta-tokenizer-'));
  try {
    const path = join(folder, 'tokenizer.json');
    const added = { id: 5, content: '[UNK]', special: true, single_word: false, lstrip: false, rstrip: false };
    const model = {
      type: 'WordPiece',
      vocab: { a: 0, '##b': 1, '[UNK]': 5 },
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    };
    const file = { added_tokens: [{ ...added, normalized: false }], model, normalizer: null, post_processor: null };
    await writeFile(path, JSON.stringify({ ...file, pre_tokenizer: { type: 'Whitespace' }, decoder: null }));
    const tokenizer = await TextTokenizer.load(path);
    assert.equal((await tokenizer.encodeRendered('x'.repeat(1000))).length, 1);
    assert.equal(tokenizer.longest, Number.POSITIVE_INFINITY);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a prompt of ten megabytes holds up nobody, in any form of reward model', async () => {
  const worker = await EvaluatorWorker.start();
  for (const name of ['reward-scalar', 'reward-encoder', 'formats/deberta']) {
    const model = await RewardModel.load({ worker, folder: `${goldenFolder}${name}` });
    for (const unit of ['is it safe? ', '中', 'x']) {
      const prompt = [{ role: 'user' as const, content: unit.repeat(10_000_000 / unit.length) }];
      const tries: number[] = [];
      for (let i = 0; i < 2; i++)
        tries.push(await longestStretchMs(() => model.score(prompt, 'a').catch(() => undefined)));
      assert.ok(Math.min(...tries) < 100, `${name}, ${JSON.stringify(unit)}: ${tries.join(', ')} ms`);
    }
  }
  await worker.dispose();
});

test('a prompt that is too long is refused before it is read to its end', async () => {
  const manifest = await readManifest(`${goldenFolder}reward-scalar`, graphManifestSchema);
  const tokenizer = await TextTokenizer.load(FILES.bytes);
  const prompt = new RewardPrompt(manifest, tokenizer);
  const refused = (text: string) =>
    assert.rejects(prompt.prefix([{ role: 'user', content: text }]), {
      code: 'ERR_PROMPT_TOO_LONG',
      message: /received a prompt of \d+ or more/,
    });
  for (const letter of ['<', '中', ' ']) {
    const short = await shortest(() => refused(letter.repeat(100_000)));
    const long = await shortest(() => refused(letter.repeat(4_000_000)));
    assert.ok(long < 10 * short + 200, `${JSON.stringify(letter)}: ${short} ms, forty times as much ${long} ms`);
  }
});

test('CLIP reads no more of a text than it keeps', async () => {
  const worker = await EvaluatorWorker.start();
  const clip = await Clip.load({ worker, folder: `${goldenFolder}clip` });
  const whole = new Tokenizer(JSON.parse(await readFile(FILES.clip, 'utf8')), {});
  for (const text of ['<'.repeat(3000), 'fox '.repeat(5000), `${' '.repeat(20_000)}fox`]) {
    const ids = whole.encode(text).ids;
    const { maxTokens, endTokenId } = clip.manifest.text;
    const cut = ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), endTokenId] : ids;
    assert.deepEqual((await clip.tokenIds(text)).slice(0, cut.length), cut, JSON.stringify(text.slice(0, 5)));
  }
  const short = await shortest(() => clip.tokenIds('fox '.repeat(25_000)));
  const long = await shortest(() => clip.tokenIds('fox '.repeat(1_000_000)));
  assert.ok(long < 10 * short + 200, `${short} ms, forty times as much ${long} ms`);
  await worker.dispose();
});

test('a long answer is scored: its middle left out, the event loop free', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: `${goldenFolder}reward-scalar` });
  const session = model.open([{ role: 'user', content: 'a prompt' }]);
  const [score] = await session.score(['中'.repeat(50_000)]);
  assert.ok(Number.isFinite(score));
  assert.ok(session.statistics.cutTokenCount > 100_000);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 50)); // the first interval is not counted
  await assert.rejects(session.score(['<'.repeat(1_000_000)], { signal: AbortSignal.timeout(50) }), {
    code: 'ERR_ABORTED',
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  assert.ok(delay.max / 1e6 < 400, `a gap of ${delay.max / 1e6} ms`);
  session.close();
  await worker.dispose();
});

/** A tokenizer.json with one thing changed. */
type Json = Record<string, never> & { model: Record<string, unknown> };

const DAMAGES: Readonly<Record<string, (json: Json) => unknown>> = {
  'a vocabulary with an object for an id': (json) => ({ ...json, model: { ...json.model, vocab: { a: {} } } }),
  'a vocabulary with an id as text': (json) => ({ ...json, model: { ...json.model, vocab: { a: '1' } } }),
  'a vocabulary with a negative id': (json) => ({ ...json, model: { ...json.model, vocab: { a: -1 } } }),
  'a vocabulary that is a list': (json) => ({ ...json, model: { ...json.model, vocab: ['a', 'b'] } }),
  'merges that are numbers': (json) => ({ ...json, model: { ...json.model, merges: [1, 2] } }),
  'no merges': (json) => ({ ...json, model: { ...json.model, merges: undefined } }),
  'a model of another type': (json) => ({ ...json, model: { ...json.model, type: 'Upside' } }),
  'an id that no graph has': (json) => ({ ...json, model: { ...json.model, vocab: { a: 2 ** 40 } } }),
  'a merge that makes no token': (json) => ({ ...json, model: { ...json.model, merges: [['zz', 'qq']] } }),
  'merges written in two ways': (json) => ({ ...json, model: { ...json.model, merges: ['a b', ['a', 'b']] } }),
  'merges left out by chance': (json) => ({ ...json, model: { ...json.model, dropout: 0.1 } }),
  'a prefix inside words': (json) => ({ ...json, model: { ...json.model, continuing_subword_prefix: '##' } }),
  'an unknown token that is none': (json) => ({ ...json, model: { ...json.model, unk_token: '[NOPE]' } }),
  'a WordLevel without a token for unknown words': (json) => ({
    ...json,
    model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: '[UNK]' },
  }),
  'a unigram vocabulary that ends before its unk_id': (json) => ({
    ...json,
    added_tokens: [],
    post_processor: null,
    model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 },
  }),
  'a token with two ids': (json) => ({
    ...json,
    added_tokens: [{ id: 77, content: '!', special: true }],
    post_processor: null,
  }),
  'two ids in a post-processor': (json) => ({
    ...json,
    post_processor: { type: 'BertProcessing', sep: ['!', 9999], cls: ['!', 9999] },
  }),
  'no model': (json) => ({ ...json, model: undefined }),
  'added tokens without content': (json) => ({ ...json, added_tokens: [{ id: 1, special: true }] }),
  'no added tokens': (json) => ({ ...json, added_tokens: undefined }),
  'an unknown normalizer': (json) => ({ ...json, normalizer: { type: 'Upside' } }),
  'a normalizer in a sequence that is not read': (json) => ({
    ...json,
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Nmt' }] },
  }),
  'a way of splitting that there is not': (json) => ({
    ...json,
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'Sideways' },
  }),
  'an unknown pre-tokenizer': (json) => ({ ...json, pre_tokenizer: { type: 'Upside' } }),
  'a pattern that is none': (json) => ({ ...json, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } }),
  'an unknown post-processor': (json) => ({ ...json, post_processor: { type: 'Upside' } }),
  'a frame without pairs': (json) => ({ ...json, post_processor: { type: 'TemplateProcessing', single: [] } }),
  'a frame of tokens that there are not': (json) => ({
    ...json,
    post_processor: { type: 'RobertaProcessing', sep: ['[NONE]', 0], cls: ['[NONE]', 0] },
  }),
  'a list': () => [],
  null: () => null,
  'a text': () => 'tokenizer',
};

for (const part of ['reward-scalar', 'clip'] as const) {
  test(`${part}: a tokenizer.json that is none is said to be, whatever it is`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eta-tokenizer-'));
    const worker = await EvaluatorWorker.start();
    try {
      await cp(goldenFolder + part, folder, { recursive: true });
      const text = await readFile(join(folder, 'tokenizer.json'), 'utf8');
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
      const load = async (content: string) => {
        await writeFile(join(folder, 'tokenizer.json'), content);
        manifest.files.tokenizer.sizeBytes = Buffer.byteLength(content);
        await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
        const loaded = await (part === 'clip' ? Clip : RewardModel).load({ worker, folder, verifyHashes: false });
        await loaded.dispose();
      };
      await load(text);
      const damaged = Object.entries(DAMAGES).map(([name, damage]) => [name, JSON.stringify(damage(JSON.parse(text)))]);
      for (const [name, content] of [...damaged, ['half a file', text.slice(0, -20)], ['nothing', '']]) {
        await assert.rejects(
          load(content ?? ''),
          {
            name: 'ModelError',
            code: 'ERR_MODEL_INVALID',
            message: /tokenizer\.json: expected a Hugging Face tokenizer/,
          },
          name,
        );
      }
    } finally {
      await worker.dispose();
      await rm(folder, { recursive: true });
    }
  });
}

test('a character that the tokenizer has no token for is an error of ours where it has none for unknown ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eta-tokenizer-'));
  const json = JSON.parse(await readFile(FILES.unigram, 'utf8'));
  json.model.unk_id = null;
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
  const tokenizer = await TextTokenizer.load(join(folder, 'tokenizer.json'));
  await assert.rejects(tokenizer.encodeRendered('中'), { name: 'EvaluatorError', code: 'ERR_EVALUATOR' });
  await rm(folder, { recursive: true });
});
