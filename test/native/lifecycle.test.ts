import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resultsOf } from '../../src/native/run-results.js';
import { onDevice } from '../device.js';
import { contextOptions, greedy, hot, loadTiny, picture, prefilled, TOKENIZE, text } from './fixture.js';

const addon =
  process.env['ETA_VLM_ADDON'] ?? fileURLToPath(new URL('../../build/Release/eta-vlm.node', import.meta.url));

/** Runs a script of this folder to its end. */
async function child(...args: string[]): Promise<{ code: number | string | null; output: string }> {
  const script = fileURLToPath(new URL('./exit-child.mjs', import.meta.url));
  const process_ = spawn(process.execPath, ['--expose-gc', script, addon, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  process_.stdout.on('data', (data) => {
    output += data;
  });
  process_.stderr.on('data', (data) => {
    output += data;
  });
  const code = await new Promise<number | string | null>((resolve) =>
    process_.on('close', (status, signal) => resolve(status ?? signal)),
  );
  return { code, output };
}

for (const where of ['main', 'worker']) {
  for (const phase of [
    'loading',
    'loaded',
    'encoding',
    'encoding shared',
    'ready',
    'running',
    'disposing',
    'dropped',
  ]) {
    test(`the ${where} thread ends while ${phase}: no crash, no word`, { timeout: 60_000 }, async () => {
      assert.deepEqual(await child(where, phase), { code: 0, output: '' });
    });
  }
}

test('a worker thread that ends while answers come in ends quietly, however it hits them', {
  timeout: 60_000,
}, async () => {
  // Whether an answer meets the end is chance: several at once on few cores meet it in one run of forty.
  const rounds = onDevice ? 1 : 6; // each opens the device
  for (let round = 0; round < rounds; round++) {
    const ended = await Promise.all(Array.from({ length: 6 }, () => child('worker', 'disposing')));
    assert.deepEqual(
      ended,
      ended.map(() => ({ code: 0, output: '' })),
    );
  }
});

test('a progress callback that throws is an uncaught exception, not a silent end', { timeout: 60_000 }, async () => {
  const { code, output } = await child('main', 'throwing');
  assert.equal(code, 1);
  assert.match(output, /RangeError: from the callback/);
});

test('after dispose every method refuses, and dispose can be called again', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions());
  const image = await picture(model, 3);
  const sequence = await prefilled(context, [await text(model, 'a')]);
  const tokens = Int32Array.of(1);
  await Promise.all([context.dispose(), context.dispose()]);
  await context.dispose();
  const refused = { code: 'DISPOSED', message: /disposed of/ };
  const calls = () => [
    context.createSequence(),
    context.append(sequence, [tokens]),
    context.fork(sequence, 1),
    context.setSampler(sequence, greedy),
    context.trim(sequence, 0),
    context.release([sequence]),
    context.run({ entries: [], stepBudget: 1 }),
    context.createTokenSet(tokens),
    context.logits(sequence),
    context.sequence(sequence),
    context.save(sequence),
    context.restore(new Uint8Array(3)),
    context.statistics(),
  ];
  for (const call of calls()) await assert.rejects(call, refused);
  context.interrupt();

  const second = await model.createContext(contextOptions());
  await Promise.all([model.dispose(), model.dispose(), second.dispose()]);
  await model.dispose();
  await second.dispose();
  for (const call of calls()) await assert.rejects(call, refused);
  await assert.rejects(second.createSequence(), refused);
  await assert.rejects(model.createContext(contextOptions()), refused);
  await assert.rejects(picture(model, 1), refused);
  assert.throws(() => model.tokenize([], TOKENIZE), refused);
  assert.throws(() => model.tokenBytes(1, true), refused);
  image.dispose();
  assert.equal(model.facts.vocabularySize, 384);
});

/** Undefined for what came to its end. */
function codeOf(result: PromiseSettledResult<unknown> | undefined): string | undefined {
  return result?.status === 'rejected' ? result.reason.code : undefined;
}

test('dispose interrupts what runs and refuses what waits', async () => {
  const model = await loadTiny();
  const context = await model.createContext(contextOptions({ cellCount: 8192 }));
  const sequence = await prefilled(context, [await text(model, 'a')]);
  await context.setSampler(sequence, hot(1));
  const long = { entries: [{ sequence, maxTokens: 8000, pauseSet: -1 }], stepBudget: 8000 };
  const undisturbed = performance.now();
  await context.run(long);
  const wholeMs = performance.now() - undisturbed;
  await context.trim(sequence, 0);
  await context.append(sequence, [await text(model, 'a')]);
  const runs = [context.run(long), context.run(long), context.statistics()];
  const settled = Promise.allSettled(runs);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const start = performance.now();
  await context.dispose();
  const tookMs = performance.now() - start;
  assert.ok(tookMs < wholeMs / 2 + 50, `${tookMs} ms, where a run takes ${wholeMs} ms`);
  // The tiny model may be done with the first one already; what waits behind it is refused.
  assert.deepEqual((await settled).slice(1).map(codeOf), ['DISPOSED', 'DISPOSED']);
  assert.ok([undefined, 'DISPOSED'].includes(codeOf((await settled)[0])));
  const other = await model.createContext(contextOptions());
  const images = Array.from({ length: 30 }, (_, shade) => picture(model, shade));
  const encodings = Promise.allSettled(images);
  await Promise.all([model.dispose(), other.dispose()]);
  const codes = (await encodings).map(codeOf);
  assert.equal(codes.at(-1), 'DISPOSED', 'those that wait are refused');
  assert.deepEqual(new Set([...codes, undefined]), new Set([undefined, 'DISPOSED']));
});

/** Collects what nothing refers to, and lets finalizers and native threads do their part. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 5; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const threadCount = () => readdirSync('/proc/self/task').length;

test('a model that is only reachable through its context lives', async () => {
  const context = await (await loadTiny()).createContext(contextOptions());
  await collect();
  const sequence = await context.createSequence();
  await context.append(sequence, [Int32Array.of(1, 20, 30)]);
  const report = await context.run({ entries: [{ sequence, maxTokens: 0, pauseSet: -1 }], stepBudget: 1 });
  assert.equal(resultsOf(report)[0]?.state, 'ready');
  await context.dispose();
});

/** Models with work done, and nothing kept of them but a way to count their threads. */
async function abandonModels(count: number): Promise<number> {
  const all: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const model = await loadTiny();
    const context = await model.createContext(contextOptions());
    all.push(model, context, await picture(model, 3), await prefilled(context, [await text(model, 'a')]));
  }
  await collect();
  const threads = threadCount();
  all.length = 0;
  return threads;
}

test('what is collected ends its thread', { skip: process.platform !== 'linux' }, async () => {
  await collect();
  const before = threadCount();
  assert.ok((await abandonModels(4)) >= before + 4);
  for (let i = 0; i < 20 && threadCount() > before; i++) await collect();
  assert.ok(threadCount() <= before, `${threadCount()} threads, ${before} before`);
});

test('models, contexts and callers at once do not disturb each other', async () => {
  const models = await Promise.all([loadTiny(), loadTiny(), loadTiny({ projectorPath: undefined })]);
  const answers = await Promise.all(
    models.flatMap((model) =>
      [1, 2].map(async () => {
        const context = await model.createContext(contextOptions());
        const sequence = await prefilled(context, [await text(model, 'What colour is the chair?')]);
        await context.setSampler(sequence, greedy);
        const report = await context.run({ entries: [{ sequence, maxTokens: 10, pauseSet: -1 }], stepBudget: 99 });
        return resultsOf(report)[0]?.tokens;
      }),
    ),
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  await Promise.all(models.map((model) => model.dispose()));
});

test('loading and disposing many times leaves no thread and no memory behind', async () => {
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 40; i++) {
    const model = await loadTiny();
    const context = await model.createContext(contextOptions());
    await prefilled(context, [await text(model, 'a')]);
    await model.dispose();
  }
  // 40 models with their contexts would be far more.
  assert.ok(process.memoryUsage().rss - before < 120e6);
});
