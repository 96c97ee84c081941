/** Every allocation of every call fails once, one after the other: a coded error, nothing changed, and the next try is right. */
import './planted-addon.js'; // before anything loads the addon
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { resultsOf } from '../../src/native/run-results.js';
import type { NativeRunReport } from '../../src/native/run-types.js';
import { contextOptions, hot, loadTiny, maxDifference, modelOptions, prefilled } from './fixture.js';
import { hasLlamaInside, planted, plantedPath } from './planted-addon.js';

const folder = fileURLToPath(new URL('../golden/native/', import.meta.url));
const CODES = [
  'CONTEXT_FAILED',
  'DECODE_FAILED',
  'STATE_MISMATCH',
  'INVALID_ARGUMENT',
  'IMAGE_FAILED',
  'MODEL_LOAD_FAILED',
  'PROJECTOR_LOAD_FAILED',
];

const FILES = { modelPath: `${folder}noncausal.gguf`, projectorPath: `${folder}noncausal-projector.gguf` };
const PICTURE = { data: new Uint8Array(60 * 60 * 3).map((_, index) => (index * 7) % 256), width: 60, height: 60 };

/** With threads of its own, which are tried out before. */
const THREADED = contextOptions({ threadCount: 3 });

let model: NativeModel;
let image: NativeImage;

before(async () => {
  model = await loadTiny(FILES);
  image = await model.encodeImage(PICTURE).image;
});

after(async () => {
  planted.plantAllocation(0);
  await model.dispose();
});

const tokens = (first: number, count: number) => Int32Array.from({ length: count }, (_, at) => 20 + first + at);

interface Stage {
  readonly context: NativeLogitsContext;
  readonly subject: number;
  readonly neighbour: number;
  readonly saved: Uint8Array;
}

async function stage(): Promise<Stage> {
  const context = await model.createContext(contextOptions({ cellCount: 256, batchSize: 64, microBatchSize: 64 }));
  const neighbour = await prefilled(context, [tokens(0, 10)]);
  const subject = await prefilled(context, [tokens(100, 7)]);
  await context.setSampler(subject, hot(3));
  const saved = new Uint8Array(await context.save(neighbour));
  return { context, subject, neighbour, saved };
}

/** What a stage holds, as numbers. */
async function contents({ context, subject, neighbour }: Stage) {
  const { usedCellCount, liveSequenceCount, imageCount, stepCount, forkCount } = await context.statistics();
  const facts = await Promise.all([subject, neighbour].map((id) => context.sequence(id)));
  return { usedCellCount, liveSequenceCount, imageCount, stepCount, forkCount, facts };
}

const run = ({ context, subject }: Stage, maxTokens: number) =>
  context.run({ entries: [{ sequence: subject, maxTokens, pauseSet: -1 }], stepBudget: 9 });

/** The whole input, though a step on the way fail. */
async function read(stage: Stage): Promise<void> {
  for (;;) if (resultsOf(await run(stage, 0))[0]?.state !== 'running') return;
}

const tokensOf = (report: NativeRunReport) => [...(resultsOf(report)[0]?.tokens ?? [])];

interface Call {
  readonly prepare?: (stage: Stage) => Promise<unknown>;
  readonly call: (stage: Stage) => Promise<unknown>;
  /** What must be the same after failures. @default what the call gave */
  readonly answer?: (stage: Stage, value: unknown) => Promise<unknown>;
}

const CALLS: Record<string, Call> = {
  createSequence: { call: ({ context }) => context.createSequence() },
  append: { call: ({ context, subject }) => context.append(subject, [tokens(1, 30), image]) },
  'fork of much': {
    prepare: async (stage) => {
      await stage.context.append(stage.subject, [image]);
      await run(stage, 0);
      await stage.context.append(stage.subject, [tokens(1, 3), image]);
    },
    call: async ({ context, subject }) => (await context.fork(subject, 3)).length,
  },
  setSampler: { call: ({ context, subject }) => context.setSampler(subject, hot(9)) },
  trim: { call: ({ context, subject }) => context.trim(subject, 3) },
  release: { call: ({ context, subject }) => context.release([subject]) },
  createTokenSet: { call: ({ context }) => context.createTokenSet(tokens(1, 5)) },
  logits: { call: ({ context, subject }) => context.logits(subject) },
  sequence: { call: ({ context, subject }) => context.sequence(subject) },
  save: { call: async ({ context, subject }) => new Uint8Array(await context.save(subject)) },
  restore: {
    call: ({ context, saved }) => context.restore(saved),
    answer: ({ context }, id) => context.logits(Number(id)),
  },
  'a run over text': {
    prepare: ({ context, subject }) => context.append(subject, [tokens(1, 9)]),
    call: read,
    answer: ({ context, subject }) => context.logits(subject),
  },
  'a run over a picture': {
    prepare: ({ context, subject }) => context.append(subject, [image]),
    call: read,
    answer: ({ context, subject }) => context.logits(subject),
  },
};

/** Of the model itself. */
const MODEL_CALLS: Record<string, Call> = {
  'tokenize, slice by slice': {
    call: async () => {
      const pieces = [{ text: 'the red circle is on the left. '.repeat(8), parseSpecial: false }];
      return await model.tokenize(pieces, { isContinued: true, maxTokens: 2 ** 30, sliceBytes: 16 }).tokens;
    },
  },
  vocabulary: { call: () => model.vocabulary(true) },
  encodeImage: {
    call: async () => {
      const encoded = await model.encodeImage(PICTURE).image;
      const { tokenCount } = encoded;
      encoded.dispose();
      return tokenCount;
    },
  },
  createContext: {
    call: async () => {
      const context = await model.createContext(THREADED);
      const { cellCount } = context.facts;
      await context.dispose();
      return cellCount;
    },
  },
};

/** Calls that take none, beside that of their message. */
const WITHOUT_MEMORY = ['trim', 'release', 'sequence'];

/** Fails each allocation of a call in its turn; how often the call failed. */
async function failEach(
  { prepare, call, answer = async (_, value) => value }: Call,
  withDecodes: boolean,
  isSame: (value: unknown, expected: unknown, message: string) => void,
): Promise<number> {
  const plain = await stage();
  await prepare?.(plain);
  const expected = await answer(plain, await call(plain));
  const expectedNeighbour = await plain.context.logits(plain.neighbour);
  await plain.context.dispose();

  let failing = await stage();
  await prepare?.(failing);
  const held = await contents(failing);
  let failureCount = 0;
  for (let k = 1; ; k++) {
    assert.ok(k < 5000);
    planted.plantAllocation(k, withDecodes);
    const outcome = await call(failing).then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    const hasFailed = planted.plantAllocation(0);
    assert.deepEqual(await failing.context.logits(failing.neighbour), expectedNeighbour);
    if ('error' in outcome) {
      failureCount++;
      assert.ok(hasFailed && CODES.includes(outcome.error.code), `allocation ${k}: ${outcome.error.stack}`);
      assert.deepEqual(await contents(failing), held, `allocation ${k}`);
      continue;
    }
    isSame(await answer(failing, outcome.value), expected, `allocation ${k}`);
    await failing.context.dispose();
    if (!hasFailed) return failureCount;
    // A failure that somebody caught, or that a later step met: the call is done all the same.
    failing = await stage();
    await prepare?.(failing);
  }
}

for (const [name, call] of Object.entries({ ...CALLS, ...MODEL_CALLS })) {
  test(`${name}: no memory, at any place`, { timeout: 120_000 }, async () => {
    const failureCount = await failEach(call, false, assert.deepEqual);
    assert.equal(failureCount === 0, WITHOUT_MEMORY.includes(name), `${failureCount} failures`);
  });
}

for (const name of ['a run over text', 'a run over a picture']) {
  test(`${name}: no memory, at any place inside llama_decode`, {
    timeout: 120_000,
    skip: !hasLlamaInside && 'llama.cpp is a library of its own here: npm run build (the source) has it inside',
  }, async () => {
    // llama.cpp may choose other cells afterwards: the sums run in another order.
    const isNear = (value: unknown, expected: unknown, message: string) =>
      assert.ok(maxDifference(value as Float32Array, expected as Float32Array) < 1e-5, message);
    assert.ok((await failEach(CALLS[name] as Call, true, isNear)) > 50);
  });
}

/** The next message; the end of the worker, where it comes first, as undefined. */
const next = (worker: Worker) =>
  new Promise<unknown>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => resolve(undefined));
  });

test('no memory in the thread that calls: a coded error, and nothing keeps the thread alive', {
  timeout: 120_000,
}, async () => {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workerData = {
    addon: plantedPath,
    modelOptions: modelOptions(FILES),
    contextOptions: THREADED,
    picture: PICTURE,
    gate,
  };
  const worker = new Worker(new URL('allocation-worker.mjs', import.meta.url), { workerData });
  worker.setMaxListeners(0);
  try {
    const names = (await next(worker)) as string[];
    for (const name of names) {
      let failureCount = 0;
      for (let k = 1; ; k++) {
        assert.ok(k < 3000);
        worker.postMessage(name);
        assert.equal(await next(worker), 'ready');
        const outcome = next(worker);
        planted.plantAllocation(k);
        Atomics.store(gate, 0, 1);
        Atomics.notify(gate, 0);
        const { code, text } = (await outcome) as { code?: string; text?: string };
        const hasFailed = planted.plantAllocation(0);
        if (code !== undefined) failureCount++;
        assert.ok(code === undefined || (hasFailed && CODES.includes(code)), `${name}, allocation ${k}: ${text}`);
        if (!hasFailed) break;
      }
      assert.ok(failureCount > 0, `${name}: no failure`);
    }
    const ended = new Promise((resolve) => worker.once('exit', () => resolve('ended')));
    worker.postMessage('end');
    const waited = new Promise((resolve) => setTimeout(() => resolve('alive'), 20_000).unref());
    assert.equal(await Promise.race([ended, waited]), 'ended');
  } finally {
    await worker.terminate();
  }
});

test('a model that is loaded: no memory, at many places', { timeout: 120_000 }, async () => {
  let failureCount = 0;
  for (let k = 1; ; k += 1 + Math.floor(k / 20)) {
    planted.plantAllocation(k);
    const outcome = await loadTiny(FILES).then(
      async (loaded) => await loaded.dispose(),
      (error) => error,
    );
    if (!planted.plantAllocation(0)) break;
    if (outcome === undefined) continue;
    failureCount++;
    assert.ok(CODES.includes(outcome.code), `allocation ${k}: ${outcome.stack}`);
  }
  assert.ok(failureCount > 50, `${failureCount} failures`);
  await (await loadTiny(FILES)).dispose();
});

test('no memory on the way of a text: its tokens are those of a run that nothing stops', {
  timeout: 120_000,
}, async () => {
  const plain = await stage();
  const expected = tokensOf(await run(plain, 6));
  await plain.context.dispose();
  assert.equal(expected.length, 6);
  for (let k = 1; ; k++) {
    const failing = await stage();
    planted.plantAllocation(k);
    const came: number[] = [];
    let hasFailed = false;
    while (came.length < expected.length) {
      const report = await run(failing, expected.length - came.length).catch((error) => {
        assert.ok(CODES.includes(error.code), error.stack);
        return undefined;
      });
      hasFailed = planted.plantAllocation(0) || hasFailed;
      if (report !== undefined) came.push(...tokensOf(report));
    }
    assert.deepEqual(came, expected, `allocation ${k}`);
    await failing.context.dispose();
    if (!hasFailed) break;
    assert.ok(k < 2000);
  }
});
