/** Logits that are not finite: who has them fails, and nobody else. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Model } from '../../src/engine/index.js';
import { EngineError } from '../../src/errors.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { PLACE } from '../device.js';
import { contextOptions, greedy, loadTiny, prefilled, run, modelPath as soundPath } from './fixture.js';

const FEED_FORWARD = 128;
const WIDTH = 64;

const scratch = mkdtempSync(join(tmpdir(), 'eta-failure-'));
const modelPath = join(scratch, 'damaged.gguf');

let model: NativeModel;
/** Tokens that fail alone, and those that do not. */
const failing: number[] = [];
const sound: number[] = [];

/**
 * The last layer's first hidden unit is 0 behind about half of the tokens and without bounds behind the others. Nothing
 * of the last feed-forward is in the KV cache, so that the other sequences' numbers are theirs alone.
 */
function damagedModel(): Buffer {
  const file = readFileSync(soundPath);
  const offsetOf = (name: string) => {
    const end = file.lastIndexOf(name) + name.length; // then: dimension count, two dimensions, type, offset
    return Number(file.readBigUInt64LE(end + 4 + 16 + 4));
  };
  const vocabularySize = 384;
  const start = file.length - offsetOf('output.weight') - 4 * WIDTH * vocabularySize;
  const scale = (name: string, factor: number, stride: number) => {
    for (let index = 0; index < WIDTH; index++) {
      const at = start + offsetOf(name) + 4 * stride * index;
      file.writeFloatLE(file.readFloatLE(at) * factor, at);
    }
  };
  scale('blk.1.ffn_gate.weight', 1e8, 1);
  scale('blk.1.ffn_up.weight', 1e15, 1);
  scale('blk.1.ffn_down.weight', 1e30, FEED_FORWARD);
  return file;
}

before(async () => {
  writeFileSync(modelPath, damagedModel());
  model = await loadTiny({ modelPath, projectorPath: undefined });
  const context = await model.createContext(contextOptions());
  for (let token = 10; token < 30; token++) {
    const sequence = await prefilled(context, [Int32Array.of(1, token)]);
    const isSound = (await context.logits(sequence)).every(Number.isFinite);
    (isSound ? sound : failing).push(token);
    await context.release([sequence]);
  }
  await context.dispose();
});

after(async () => {
  await model.dispose();
  rmSync(scratch, { recursive: true });
});

test('in one batch the failing sequences fail and the others draw what they draw alone', async () => {
  assert.ok(failing.length > 1 && sound.length > 1, `${failing.length} fail, ${sound.length} do not`);
  const context = await model.createContext(contextOptions());
  const tokens = [failing[0], sound[0], sound[1], failing[1]].map(Number);
  for (const isPrefilled of [false, true]) {
    const together: number[] = [];
    for (const token of tokens) {
      const sequence = await context.createSequence();
      await context.append(sequence, [Int32Array.of(1, token)]);
      await context.setSampler(sequence, greedy);
      together.push(sequence);
    }
    if (isPrefilled) await run(context, together, 0);
    const results = await run(context, together, 1);
    assert.deepEqual(
      results.map((result) => result.state),
      ['failed', 'limit', 'limit', 'failed'],
    );
    for (const [index, token] of tokens.entries()) {
      const result = results[index];
      assert.equal(result?.tokens.length, failing.includes(token) ? 0 : 1);
      assert.equal(result?.tokenCount, 2, 'its input is decoded');
    }
    const [again] = await run(context, together.slice(0, 1), 1);
    assert.equal(again?.state, 'failed', 'asked again, it fails again');
    for (const index of [1, 2]) {
      const alone = await prefilled(context, [Int32Array.of(1, tokens[index] ?? 0)]);
      await context.setSampler(alone, greedy);
      assert.deepEqual((await run(context, [alone], 1))[0]?.tokens, results[index]?.tokens);
      await context.release([alone]);
    }
    await context.release(together);
  }
  assert.equal((await context.statistics()).usedCellCount, 0);
  await context.dispose();
});

test('the engine tells that request alone', async () => {
  await using engine = await Model.load({ modelPath, ...PLACE, threadCount: 1 });
  await using context = await engine.createContext({ contextSize: 256, cacheType: 'f32', flashAttention: 'off' });
  const outcomes = await Promise.allSettled(
    [failing[0], sound[0]].map(async (token) => {
      await using lease = await context.reserve({ cellCount: 16, sequenceCount: 1 });
      const sequence = await lease.createSequence();
      await sequence.append([Int32Array.of(1, Number(token))]);
      return await sequence.decode({ maxTokens: 1 });
    }),
  );
  const [bad, good] = outcomes;
  assert.ok(bad?.status === 'rejected' && bad.reason instanceof EngineError && bad.reason.code === 'ERR_DECODE');
  assert.equal(good?.status, 'fulfilled');
});
