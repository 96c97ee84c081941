/** Long texts: tokens off the event loop, in linear time, ended by a signal, refused by their length. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Model } from '../../src/engine/index.js';
import { AbortError } from '../../src/errors.js';
import { assertTurns } from '../stretch.js';
import { tinyModel } from './fixture.js';

let model: Model;

before(async () => {
  model = await tinyModel();
});

after(async () => {
  await model.dispose();
});

/** Bytes without a token, bytes with one, words, and what is cut nowhere. */
const TEXTS = ['<', '中', 'é', '🙂', '\u0301', ' ', '\n', '7', 'a', 'The red apple. ', '<s> and </s> ', 'apple'];

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

for (const text of TEXTS) {
  test(`eight times as much of ${JSON.stringify(text)} takes no more than eight times as long, about`, async () => {
    const least = async (length: number) => {
      const whole = text.repeat(Math.ceil(length / text.length));
      const times: number[] = [];
      for (let round = 0; round < 2; round++) times.push(await milliseconds(() => model.tokenize(whole)));
      return Math.min(...times);
    };
    const once = await least(40_000);
    const eightfold = await least(320_000);
    assert.ok(eightfold < 24 * Math.max(once, 5), `${once} ms, then ${eightfold} ms`);
  });
}

test('the event loop goes on while a long text is read', () => {
  const child = fileURLToPath(new URL('long-text-child.ts', import.meta.url));
  const run = spawnSync(process.execPath, ['--import', 'tsx', child], { encoding: 'utf8', timeout: 120_000 });
  assert.equal(run.status, 0, run.stderr);
  const { tokenCount, longestGapMs }: { tokenCount: number; longestGapMs: number } = JSON.parse(run.stdout);
  assert.equal(tokenCount, 750_001);
  assert.ok(longestGapMs < 500, `${longestGapMs} ms`);
});

test('what is too long by its length is refused before it is read', async () => {
  for (const text of TEXTS) {
    const whole = text.repeat(Math.ceil(3_000_000 / text.length));
    const tooLong = { code: 'ERR_PROMPT_TOO_LONG', message: /at most 2047 tokens but received one of at least \d{5,}/ };
    const took = await milliseconds(() => assert.rejects(model.tokenize(whole, { maxTokens: 2047 }), tooLong));
    assert.ok(took < 2000, `${JSON.stringify(text)}: ${took} ms`);
    const turns = [{ role: 'user' as const, text: `x${whole}x` }];
    await assert.rejects(model.prompt(turns, { maxTokens: 2047 }), { code: 'ERR_PROMPT_TOO_LONG' });
  }
});

const turnsOf = (length: number, text: string) =>
  Array.from({ length }, (_, index) => ({
    role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
    text,
  }));

test('more turns than tokens are refused before they are rendered', async () => {
  await assert.rejects(model.prompt(turnsOf(701, 'so'), { maxTokens: 700 }), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: /at most 700 tokens but received 701 turns/,
  });
});

test('1024 turns are rendered, more are not looked at, with words or without', async () => {
  for (const text of ['so', ' ', '']) {
    const many = turnsOf(200_001, text);
    const refused = () =>
      assert.rejects(model.prompt(many), {
        code: 'ERR_PROMPT_TOO_LONG',
        message: 'Expected at most 1024 turns but received 200001 turns. Shorten the conversation.',
      });
    await assertTurns(refused, JSON.stringify(text));
    assert.ok((await model.prompt(turnsOf(1023, text))).length > 0);
  }
});

test('the limit is a limit: as many tokens fit, one more does not', async () => {
  for (const text of TEXTS) {
    const whole = text.repeat(300);
    const { length } = await model.tokenize(whole);
    assert.equal((await model.tokenize(whole, { maxTokens: length })).length, length);
    await assert.rejects(model.tokenize(whole, { maxTokens: length - 1 }), { code: 'ERR_PROMPT_TOO_LONG' });
  }
  const turns = [{ role: 'user' as const, text: 'What is this?' }];
  const [prompt] = await model.prompt(turns);
  const length = prompt instanceof Int32Array ? prompt.length : 0;
  assert.deepEqual(await model.prompt(turns, { maxTokens: length }), [prompt]);
  await assert.rejects(model.prompt(turns, { maxTokens: length - 1 }), { code: 'ERR_PROMPT_TOO_LONG' });
});

test('a signal ends it at once, and one signal serves many', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const controller = new AbortController();
  const long = '<é word'.repeat(2 ** 21);
  const reading = Array.from({ length: 12 }, () => model.tokenize(long, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 20);
  const took = await milliseconds(async () => {
    for (const one of await Promise.allSettled(reading)) {
      assert.ok(one.status === 'rejected' && one.reason instanceof AbortError);
    }
  });
  assert.ok(took < 2000, `${took} ms`);
  await assert.rejects(model.tokenize('a', { signal: controller.signal }), AbortError);
  assert.ok((await milliseconds(() => model.tokenize('a'))) < 1000, 'the thread is free again');
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
});

/** Moments at which a call has begun and nobody waits for its tokens yet, or just so. */
const MOMENTS: Record<string, (abort: () => void) => void> = {
  'the same tick': (abort) => abort(),
  'a microtask': queueMicrotask,
  'ten microtasks later': (abort) => {
    let later = Promise.resolve();
    for (let i = 0; i < 10; i++) later = later.then(() => undefined);
    void later.then(abort);
  },
  'the next turn of the event loop': setImmediate,
};

for (const [moment, when] of Object.entries(MOMENTS)) {
  test(`a signal that fires in ${moment} is heard, and nothing stays on it`, async () => {
    const long = 'The red apple. '.repeat(2 ** 18);
    for (const call of [
      (signal: AbortSignal) => model.tokenize(long, { signal }),
      (signal: AbortSignal) => model.prompt([{ role: 'user', text: long }], { signal }),
    ]) {
      const controller = new AbortController();
      const reading = call(controller.signal);
      when(() => controller.abort());
      await assert.rejects(reading, AbortError);
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    }
    const { signal } = new AbortController();
    for (let i = 0; i < 30; i++) await model.tokenize('a', { signal });
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
}

test('a short text does not wait for long ones', async () => {
  let finished = 0;
  const long = '<é word'.repeat(2 ** 15);
  const reading = Array.from({ length: 20 }, async () => {
    await model.tokenize(long);
    finished++;
  });
  await model.tokenize('The red apple');
  assert.equal(finished, 0);
  await Promise.all(reading);
});

test('dispose ends it, whatever is read', async () => {
  const other = await tinyModel();
  const reading = Array.from({ length: 5 }, () => other.tokenize('<é word'.repeat(2 ** 21)));
  const refused = Promise.all(reading.map((one) => assert.rejects(one, { code: 'ERR_DISPOSED' })));
  const took = await milliseconds(() => other.dispose());
  await refused;
  assert.ok(took < 2000, `${took} ms`);
});
