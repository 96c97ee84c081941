/** Reward models whose trunk llama.cpp runs, against transformers (test/golden/reward-trunk/make.py). */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Model } from '../../src/engine/index.js';
import { loadEta } from '../../src/index.js';
import { fitMemory, trunkLayersThatFit } from '../../src/loading/memory-fit.js';
import { GPU_RESERVE_BYTES, modelShapes } from '../../src/models/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { POST_EVALUATION_PROMPT } from '../../src/policy/index.js';
import { RewardModel, type TrunkOpener } from '../../src/reward/index.js';
import { assertFar, assertNear } from '../device.js';
import { FLAGGED_SAFE, QUESTION, tinyModels, UNSAFE } from '../eta/tiny.js';

const folder = fileURLToPath(new URL('../golden/reward-trunk/', import.meta.url));
const golden = JSON.parse(readFileSync(`${folder}golden.json`, 'utf8')) as {
  readonly prompt: string;
  readonly answers: readonly string[];
  readonly scores: Readonly<Record<string, readonly number[]>>;
};
const PROMPT = [{ role: 'user' as const, content: golden.prompt }];
const CONTINUATIONS = [' I cannot help.', ' Here are the steps. Mix', '\n\ndogs on the grass', ' I can', ''];
const KINDS = ['scalar', 'gated'] as const;
let worker: EvaluatorWorker;
const models = new Map<string, RewardModel>();

/** As loadEta opens one; `most` makes the context smaller than asked. */
const opener =
  (most: { contextSize?: number; sequenceCount?: number } = {}): TrunkOpener =>
  async ({ path, ...context }) => {
    const model = await Model.load({ modelPath: path, threadCount: 1 });
    const options = { ...context, ...most, flashAttention: 'off', output: 'hidden-state' } as const;
    return { model, context: await model.createContext(options), dispose: () => model.dispose() };
  };

before(async () => {
  worker = await EvaluatorWorker.start();
  for (const kind of KINDS)
    models.set(kind, await RewardModel.load({ worker, folder: folder + kind, openTrunk: opener() }));
});
after(async () => {
  for (const model of models.values()) await model.dispose();
  await worker.dispose();
});

function model(kind: string): RewardModel {
  const found = models.get(kind);
  assert.ok(found, kind);
  return found;
}

function furthest(received: readonly number[], expected: readonly number[] = []): number {
  assert.equal(received.length, expected.length);
  return Math.max(...received.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
}

function assertClose(received: readonly number[], expected: readonly number[] = [], tolerance = 1e-4): void {
  const message = `${received.join(', ')}; expected ${expected.join(', ')}`;
  assertNear(furthest(received, expected), tolerance, 'score', message);
}

for (const kind of KINDS) {
  test(`${kind}: scores are those of transformers, one by one and in one batch`, async () => {
    assertClose(await model(kind).open(PROMPT).score(golden.answers), golden.scores[kind]);
    const alone: number[] = [];
    for (const answer of golden.answers) alone.push(await model(kind).score(PROMPT, answer));
    assertClose(alone, golden.scores[kind]);
    // The control: in another order they are not.
    assertFar(furthest(alone, [...(golden.scores[kind] ?? [])].reverse()), 1e-3, 'score');
  });

  test(`${kind}: candidates over accepted text score as whole answers`, async () => {
    const session = model(kind).open(PROMPT);
    let accepted = '';
    for (const text of ['As an AI assistant', ', I cannot', ' help with tha', 't. Ask', ' an expert!\n']) {
      session.accept(text);
      accepted += text;
      const together = await session.score(CONTINUATIONS);
      const alone: number[] = [];
      for (const continuation of CONTINUATIONS) alone.push(await model(kind).score(PROMPT, accepted + continuation));
      assertClose(together, alone, 1e-5);
      assert.ok(new Set(together.map((score) => score.toFixed(5))).size > 1, 'scores that do not differ show nothing');
    }
    const { ranTokenCount, cachedTokenCount } = session.statistics;
    assert.ok(cachedTokenCount > 5 * ranTokenCount, `${ranTokenCount} tokens ran, ${cachedTokenCount} were kept`);
    session.close();
  });
}

test('a candidate that leaves what was kept for another is scored as if nothing had been kept', async () => {
  const session = model('scalar').open(PROMPT);
  session.accept('As an AI assistant');
  // Of a single candidate all but the last token is kept; the next shares a part of that only.
  for (const candidate of [', I cannot help you with that at all.', ', I can: here are the steps.', ' no']) {
    const alone = await model('scalar').score(PROMPT, session.accepted + candidate);
    assertClose(await session.score([candidate]), [alone], 1e-5);
  }
  session.close();
});

test('many prompts and sessions at once in a small context: caches are evicted, computed again, and nothing is wrong', async () => {
  const small = await RewardModel.load({
    worker,
    folder: `${folder}scalar`,
    openTrunk: opener({ contextSize: 512, sequenceCount: 8 }),
  });
  try {
    const prompts = Array.from({ length: 7 }, (_, at) => [
      { role: 'user' as const, content: `Prompt ${at}. ${golden.prompt}` },
    ]);
    const sessions = prompts.map((prompt) => ({ prompt, session: small.open(prompt) }));
    for (const text of ['As an AI', ' assistant, I']) {
      const scores = await Promise.all(
        sessions.map(({ session }) => {
          session.accept(text);
          return session.score(CONTINUATIONS);
        }),
      );
      for (const [at, { prompt, session }] of sessions.entries()) {
        const expected: number[] = [];
        for (const continuation of CONTINUATIONS)
          expected.push(await model('scalar').score(prompt, session.accepted + continuation));
        assertClose(scores[at] ?? [], expected, 1e-5);
      }
    }
    for (const { session } of sessions) session.close();
    const manyShort = Array.from({ length: 20 }, (_, at) => ` ${at}`);
    assert.equal((await small.open(PROMPT).score(manyShort)).length, 20, 'more candidates than lanes');
  } finally {
    await small.dispose();
  }
});

test('an aborted score ends, and the next is right', async () => {
  const session = model('gated').open(PROMPT);
  const controller = new AbortController();
  const aborted = session.score(golden.answers, { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  assertClose(await session.score(golden.answers), golden.scores['gated']);
  session.close();
});

test('its context is the one that memory was asked for', async () => {
  const asked: object[] = [];
  const openTrunk: TrunkOpener = (trunk) => {
    asked.push(trunk);
    return opener()(trunk);
  };
  const rewardModel = `${folder}scalar`;
  await (await RewardModel.load({ worker, folder: rewardModel, openTrunk })).dispose();
  const machine = { ramFreeBytes: 2 ** 34, gpuFreeBytes: 0, isShared: false, repackedTypes: [] };
  const { plan } = fitMemory(await modelShapes({ ...tinyModels, rewardModel }), {}, machine);
  const { batchSize, ...context } = plan.trunk ?? { batchSize: 0 };
  assert.deepEqual([{ path: join(rewardModel, 'trunk.gguf'), ...context }], asked);
  assert.equal(batchSize, 128);
  assert.equal(fitMemory(await modelShapes(tinyModels), {}, machine).plan.trunk, null);
});

test('loaded alone, it takes as many layers of the GPU as fit, with the logits of all rows', async () => {
  const place = mkdtempSync(join(tmpdir(), 'eta-vlm-trunk-'));
  try {
    const path = join(place, 'wordy.gguf');
    writeFileSync(path, withVocabulary(readFileSync(`${folder}scalar/trunk.gguf`), 1_000_000));
    const context = { contextSize: 3072, sequenceCount: 32, cacheType: 'f32' } as const;
    const machine = { ramFreeBytes: 2 ** 34, isShared: false, repackedTypes: [] };
    const layers = (gpuFreeBytes: number) => trunkLayersThatFit(path, context, { ...machine, gpuFreeBytes });
    const logits = 512 * 1_000_000 * 4;
    assert.equal(await layers(0), -1, 'without a GPU it has no meaning');
    assert.equal(await layers(GPU_RESERVE_BYTES + logits + 2 ** 25), -1);
    assert.equal(await layers(GPU_RESERVE_BYTES + logits), 0, 'the logits of a step have no room');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

/** The GGUF of a Qwen3 that says it has a vocabulary of this size, in a key before all others. */
function withVocabulary(gguf: Buffer, size: number): Buffer {
  const name = Buffer.from('qwen3.vocab_size');
  const [length, value] = [Buffer.alloc(8), Buffer.alloc(8)];
  length.writeBigUInt64LE(BigInt(name.length));
  value.writeUInt32LE(4); // 32 bits without a sign
  value.writeUInt32LE(size, 4);
  const head = Buffer.from(gguf.subarray(0, 24));
  head.writeBigUInt64LE(gguf.readBigUInt64LE(16) + 1n, 16);
  return Buffer.concat([head, length, name, value, gguf.subarray(24)]);
}

test('what cannot be is refused', async () => {
  await assert.rejects(RewardModel.load({ worker, folder: `${folder}scalar` }), {
    code: 'ERR_INVALID_OPTION',
    message: /openTrunk: expected a function/,
  });
  const place = mkdtempSync(join(tmpdir(), 'eta-vlm-trunk-'));
  try {
    const load = (change: (manifest: { selfTest: { score: number }[]; heads: { hiddenSize: number } }) => void) => {
      cpSync(`${folder}scalar`, place, { recursive: true });
      const manifest = JSON.parse(readFileSync(`${folder}scalar/manifest.json`, 'utf8'));
      change(manifest);
      writeFileSync(join(place, 'manifest.json'), JSON.stringify(manifest));
      return RewardModel.load({ worker, folder: place, openTrunk: opener() });
    };
    await assert.rejects(
      load(({ selfTest: [first] }) => {
        if (first !== undefined) first.score += 0.01;
      }),
      { code: 'ERR_SELF_TEST', message: /expected the reward .* \(within 0\.001\)/ },
    );
    await assert.rejects(
      load(({ heads }) => {
        heads.hiddenSize = 31;
      }),
      { code: 'ERR_MODEL_INVALID', message: /hidden state of 31, received one of 32/ },
    );
    const tokenizer = JSON.parse(readFileSync(`${folder}scalar/tokenizer.json`, 'utf8'));
    tokenizer.added_tokens.push({ id: 9000, content: 'zz', special: false });
    const manifest = JSON.parse(readFileSync(`${folder}scalar/manifest.json`, 'utf8'));
    manifest.files.tokenizer.sizeBytes = Buffer.byteLength(JSON.stringify(tokenizer));
    writeFileSync(join(place, 'tokenizer.json'), JSON.stringify(tokenizer));
    writeFileSync(join(place, 'manifest.json'), JSON.stringify(manifest));
    await assert.rejects(RewardModel.load({ worker, folder: place, openTrunk: opener(), verifyHashes: false }), {
      code: 'ERR_MODEL_MISMATCH',
      message: /expected a trunk with 9001 tokens, as many as its tokenizer has, received one with \d+\. /,
    });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  const disposed = await RewardModel.load({ worker, folder: `${folder}gated`, openTrunk: opener() });
  const session = disposed.open(PROMPT);
  await disposed.dispose();
  await assert.rejects(session.score(['a']), { code: 'ERR_DISPOSED' });
  session.close();
});

test('ETA on such a model: gate, search and verdict', async () => {
  await using eta = await loadEta({
    models: { ...tinyModels, rewardModel: `${folder}gated` },
    thresholds: FLAGGED_SAFE, // a model that nobody calibrated has none
    contextSize: 2048,
    maxTokens: 30,
    sentenceTokenLimit: 10,
    candidateCount: 3,
    threadCount: 1,
  });
  const safe = await eta.respond(QUESTION);
  assert.equal(safe.verdict.action, 'answered');
  assert.ok(
    Math.abs((safe.verdict.answer?.score ?? Number.NaN) - (await expectedReward(safe.text))) < 1e-4,
    'the same reward',
  );
  const aligned = await eta.respond({ ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' });
  assert.equal(aligned.verdict.action, 'aligned');
  assert.ok(aligned.trace.rounds.length > 0, 'rounds');
  assert.ok(aligned.usage.rewardCachedTokenCount > 0, 'kept prefixes');

  async function expectedReward(text: string): Promise<number> {
    return await model('gated').score([{ role: 'user', content: POST_EVALUATION_PROMPT }], text);
  }
});
