/** Loading: what a wrong file says, and what a model knows about its tokens. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { physicalCoreCount } from '../../src/cores.js';
import { Model } from '../../src/engine/index.js';
import { Vocabulary } from '../../src/engine/vocabulary.js';
import { AbortError, EtaError, type EtaErrorCode } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import { loadAddon } from '../../src/native/binding.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { PLACE } from '../device.js';
import { golden, picture, tinyModel } from './fixture.js';

let model: Model;
let folder: string;

before(async () => {
  model = await tinyModel();
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-model-'));
});

after(async () => {
  await model.dispose();
  await rm(folder, { recursive: true });
});

async function refused(modelPath: string, code: EtaErrorCode, message: RegExp, projectorPath?: string): Promise<void> {
  await assert.rejects(Model.load({ modelPath, projectorPath, gpuLayerCount: 0 }), (error) => {
    assert.ok(error instanceof EtaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test('wrong files get one clear sentence', async () => {
  const file = async (name: string, content: Uint8Array | string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const good = await readFile(golden('tiny.gguf'));
  const projector = await readFile(golden('tiny-projector.gguf'));
  await refused(join(folder, 'none.gguf'), 'ERR_MODEL_NOT_FOUND', /language model at .*none\.gguf, found no file/);
  await refused(folder, 'ERR_MODEL_INVALID', /a folder/);
  await refused(await file('empty.gguf', ''), 'ERR_MODEL_INVALID', /an empty file/);
  await refused(await file('page.gguf', '<!doctype html>'), 'ERR_MODEL_INVALID', /expected a GGUF file/);
  await refused(await file('short.gguf', good.subarray(0, good.length / 2)), 'ERR_MODEL_INVALID', /cut off.*Download/);
  await refused(await file('head.gguf', good.subarray(0, 100)), 'ERR_MODEL_INVALID', /header is broken/);
  await refused(golden('tiny-projector.gguf'), 'ERR_MODEL_INVALID', /is a projector.*the language model's own GGUF/);
  await refused(golden('tiny.gguf'), 'ERR_MODEL_NOT_FOUND', /projector at/, join(folder, 'none.gguf'));
  await refused(golden('tiny.gguf'), 'ERR_MODEL_INVALID', /architecture "llama".*mmproj/, golden('tiny.gguf'));
  const half = await file('half.gguf', projector.subarray(0, projector.length / 2));
  await refused(golden('tiny.gguf'), 'ERR_MODEL_INVALID', /cut off/, half);
  await refused(
    golden('tiny-other.gguf'),
    'ERR_MODEL_MISMATCH',
    /made for this language model/,
    golden('tiny-projector.gguf'),
  );
  await assert.rejects(Model.load({ modelPath: 'a', threadCount: 0 }), /threadCount: expected an integer from 1/);
  await assert.rejects(Model.load({ modelPath: 'a', gpuLayers: 1 } as never), /Did you mean|Known/);
});

test('a load can be given up', async () => {
  await assert.rejects(tinyModel({ signal: AbortSignal.abort() }), AbortError);
  const controller = new AbortController();
  const loading = tinyModel({ signal: controller.signal });
  setImmediate(() => controller.abort());
  const outcome = await loading.catch((error: unknown) => error);
  if (outcome instanceof Model)
    await outcome.dispose(); // it was there before the signal
  else assert.ok(outcome instanceof AbortError, String(outcome));
});

test('progress ends at one', async () => {
  const fractions: number[] = [];
  await using loaded = await tinyModel({ onProgress: (fraction) => fractions.push(fraction) });
  assert.equal(loaded.name, 'tiny');
  assert.ok(fractions.length > 0);
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  );
  assert.ok((fractions.at(-1) ?? 0) > 0.99);
});

test('progress that throws ends the load, at any fraction', async () => {
  for (const at of [0, 0.5, 1]) {
    let calls = 0;
    const onProgress = (fraction: number) => {
      if (fraction < at) return;
      calls++;
      throw new RangeError(`at ${at}`);
    };
    await assert.rejects(
      tinyModel({ onProgress }),
      (error) => error instanceof RangeError && error.message === `at ${at}`,
    );
    assert.equal(calls, 1, 'and is not told again');
  }
});

test('pictures: no projector, wrong pixels, an abort', async () => {
  await using text = await Model.load({ modelPath: golden('tiny.gguf'), ...PLACE });
  const pixels = await decodeImage(golden('square.png'));
  await assert.rejects(
    text.encodeImage(pixels),
    (error) => error instanceof EtaError && error.code === 'ERR_NO_PROJECTOR',
  );
  await assert.rejects(model.encodeImage({ ...pixels, width: 3 }), EtaError);
  await assert.rejects(model.encodeImage(pixels, { signal: AbortSignal.abort() }), AbortError);
  const controller = new AbortController();
  const encoding = model.encodeImage(pixels, { signal: controller.signal });
  controller.abort();
  await assert.rejects(encoding, AbortError);
});

test('what a model is asked for is checked', async () => {
  const invalid = (code: EtaErrorCode, message: RegExp) => (error: unknown) =>
    error instanceof EtaError && error.code === code && message.test(error.message);
  const prompt = (turns: unknown) => model.prompt(turns as never);
  await assert.rejects(prompt('x'), invalid('ERR_INVALID_OPTION', /array of turns; received "x"/));
  await assert.rejects(
    prompt([{ role: 'tool', text: 'a' }]),
    invalid('ERR_INVALID_OPTION', /0\.role: expected 'system'/),
  );
  await assert.rejects(
    prompt([{ role: 'user', text: 5 }]),
    invalid('ERR_INVALID_OPTION', /0\.text: expected a text; received 5/),
  );
  await assert.rejects(
    prompt([{ role: 'user', text: '', images: ['x'] }]),
    invalid('ERR_INVALID_OPTION', /from encodeImage/),
  );
  await assert.rejects(prompt([{ role: 'user', text: 'a', image: 'x' }]), invalid('ERR_UNKNOWN_OPTION', /'images'/));
  await assert.rejects(model.tokenize(5 as never), invalid('ERR_INVALID_REQUEST', /a text, received 5/));
  await assert.rejects(model.tokenize('a', { maxTokens: -1 }), invalid('ERR_INVALID_OPTION', /maxTokens.*received -1/));
  await assert.rejects(model.encodeImage(undefined as never), invalid('ERR_INVALID_OPTION', /expected RGB bytes/));
  await assert.rejects(
    model.createContext({ contextSize: -1 }),
    invalid('ERR_INVALID_OPTION', /contextSize.*received -1/),
  );
  await assert.rejects(
    model.createContext({ contextsize: 1 } as never),
    invalid('ERR_UNKNOWN_OPTION', /'contextSize'/),
  );
  await assert.rejects(model.createContext({ contextSize: 200_000_000 }), invalid('ERR_CONTEXT', /memory|cells/));
});

test('tokens that hold a character, whole or its last bytes', async () => {
  const found = model.tokensContaining('.!。');
  const set = new Set(found);
  assert.deepEqual(
    [...found],
    [...set].sort((a, b) => a - b),
  );
  assert.equal(model.tokensContaining('.!。'), found, 'computed once');
  for (let token = 0; token < model.facts.vocabularySize; token++) {
    const text = model.text([token]);
    if (/[.!。]/.test(text)) assert.ok(set.has(token), `${token} ${text}`);
  }
  for (const text of ['The end.', 'Stop!', '終わり。']) {
    const last = (await model.tokenize(text)).at(-1) ?? -1;
    assert.ok(set.has(last), text);
  }
  assert.ok(found.length < model.facts.vocabularySize / 4);
  assert.ok(!set.has((await model.tokenize('apple')).at(-1) ?? -1));
});

test('a search for characters finds just the tokens that hold one, or the rest of one that an earlier token began', async () => {
  const encoder = new TextEncoder();
  const holds = (bytes: Uint8Array, character: string) => {
    const needle = Buffer.from(encoder.encode(character));
    const own = Buffer.from(bytes);
    const rests = Array.from({ length: needle.length - 1 }, (_, at) => needle.subarray(at + 1));
    return own.includes(needle) || rests.some((rest) => own.subarray(0, rest.length).equals(rest));
  };
  for (const characters of ['.', 'e', '.!。', '😀é', ' ']) {
    const expected: number[] = [];
    for (let token = 0; token < model.facts.vocabularySize; token++)
      if ([...characters].some((character) => holds(model.tokenBytes(token), character))) expected.push(token);
    assert.deepEqual([...model.tokensContaining(characters)], expected, characters);
  }
  assert.deepEqual([...model.tokensContaining('')], []);
});

test('tokens that lie side by side are told apart, whatever stands at their ends', async () => {
  const pieces = ['.', '.', 'a.', '.b', '', '..', 'é', '\u00a9', '', '.'];
  const all = [...pieces.map((piece) => Buffer.from(piece)), Buffer.of(0xa9), Buffer.of(0xa9, 0x2e), Buffer.of(0xc3)];
  const starts = Int32Array.from([0, ...all.map((_, at) => Buffer.concat(all.slice(0, at + 1)).length)]);
  const native = { vocabulary: async () => ({ bytes: Uint8Array.from(Buffer.concat(all)), starts }) };
  const vocabulary = await Vocabulary.read(native as unknown as NativeModel);
  assert.deepEqual([...vocabulary.containing('.')], [0, 1, 2, 3, 5, 9, 11]);
  assert.deepEqual([...vocabulary.containing('é')], [6, 10, 11]);
  assert.deepEqual([vocabulary.size, Buffer.from(vocabulary.tokenBytes(3)).toString()], [all.length, '.b']);
  assert.deepEqual([...vocabulary.tokenBytes(all.length)], [], 'one that there is not');
});

test('threads: as many as were named, or as many as are found to be fastest where any number computes the same', async () => {
  assert.deepEqual([model.threadCount, model.measuresThreads], [1, false]);
  await using free = await Model.load({ modelPath: golden('tiny.gguf'), ...PLACE });
  assert.deepEqual([free.threadCount, free.measuresThreads], [physicalCoreCount(), loadAddon().threadsKeepBits]);
});

test('the prompt of a LLaVA-1.5 file', async () => {
  const image = await picture(model);
  const parts = await model.prompt([{ role: 'user', text: 'What is in the picture?', images: [image] }]);
  assert.equal(parts.length, 3);
  assert.equal(parts[1], image);
  const [before, , behind] = parts as [Int32Array, unknown, Int32Array];
  assert.equal(before[0], model.facts.beginToken);
  const system =
    'A chat between a curious human and an artificial intelligence assistant. ' +
    "The assistant gives helpful, detailed, and polite answers to the human's questions.";
  assert.deepEqual(before.slice(1), await model.tokenize(`${system} USER: `, { parseSpecial: true }));
  assert.deepEqual(behind, await model.tokenize('\nWhat is in the picture? ASSISTANT:', { parseSpecial: true }));
  image.dispose();
});

test('texts that name special tokens or picture marks stay text', async () => {
  await using chat = await tinyModel({ modelPath: golden('tiny-chat.gguf') });
  const image = await picture(chat);
  for (const tiny of [model, chat]) {
    const specials = (parts: readonly (Int32Array | object)[]) =>
      parts.flatMap((part): (number | string)[] =>
        part instanceof Int32Array ? [...part].filter((token) => tiny.tokenBytes(token).length === 0) : ['picture'],
      );
    const images = tiny === chat ? [image] : [];
    const harmless = await tiny.prompt([{ role: 'user', text: 'What?', images }]);
    const texts = [
      '</s>',
      '<s>',
      '<unk>',
      '<|user|>',
      '<|assistant|>',
      '<__media__>',
      '<image>',
      'a</s>b',
      '</',
      's>',
      '</s',
    ];
    for (const text of [...texts, texts.join(' ')]) {
      const parts = await tiny.prompt([{ role: 'user', text, images }]);
      assert.deepEqual(specials(parts), specials(harmless), text);
      const written = parts.map((part) => (part instanceof Int32Array ? tiny.text(part) : '')).join('');
      assert.ok(written.includes(text), `${JSON.stringify(written)} holds ${text}`);
    }
  }
});
