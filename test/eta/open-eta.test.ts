/** An Eta for one request, as the command `ask` opens it: ready with the language model, and the same answers. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Clip } from '../../src/clip/index.js';
import { openEta } from '../../src/eta/index.js';
import type { Eta, EtaRequest, LoadEtaOptions } from '../../src/index.js';
import { RewardModel } from '../../src/reward/index.js';
import { CLEAN, FLAGGED_SAFE, loadTiny, QUESTION, TINY, tinyModels, UNSAFE } from './tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-open-'));
after(() => rmSync(scratch, { recursive: true }));

const openTiny = (options: LoadEtaOptions = {}, hasImages = true): Promise<Eta> =>
  openEta({ ...TINY, ...options }, { hasImages });

/** Which evaluators are loaded for a request. */
async function loadedFor(request: EtaRequest, options: LoadEtaOptions = {}, hasImages = true): Promise<string[]> {
  const loads = { clip: mock.method(Clip, 'load'), reward: mock.method(RewardModel, 'load') };
  try {
    await using eta = await openTiny(options, hasImages);
    await eta.respond(request);
    return Object.entries(loads).flatMap(([name, load]) => (load.mock.callCount() > 0 ? [name] : []));
  } finally {
    for (const load of Object.values(loads)) load.mock.restore();
  }
}

test('it answers as one that was loaded whole', async () => {
  await using whole = await loadTiny();
  for (const thresholds of [CLEAN, FLAGGED_SAFE, UNSAFE]) {
    const request = { ...QUESTION, thresholds, whenStillUnsafe: 'return' } as const;
    await using eta = await openTiny();
    const [expected, received] = [await whole.respond(request), await eta.respond(request)];
    const told = ({ text, verdict, trace }: typeof expected) => [text, verdict, trace.rounds.map((r) => r.candidates)];
    assert.deepEqual(told(received), told(expected));
  }
});

test('what the answer does not ask is not loaded', async () => {
  const text = { prompt: 'What is this?', seed: 1, thresholds: { safeReward: -1e6 } };
  assert.deepEqual(await loadedFor({ ...QUESTION, thresholds: CLEAN }), ['clip']);
  assert.deepEqual(await loadedFor({ ...QUESTION, thresholds: FLAGGED_SAFE }), ['clip', 'reward']);
  assert.deepEqual(await loadedFor(text, {}, false), ['reward']);
  assert.deepEqual(await loadedFor(QUESTION, { method: 'vanilla' }), []);
  assert.deepEqual(await loadedFor(text, { method: 'pre' }, false), [], 'no picture, nothing to judge');
  assert.deepEqual(await loadedFor({ ...QUESTION, thresholds: FLAGGED_SAFE }, { method: 'post' }), ['reward']);
});

test('an evaluator that is damaged fails the request that asks it, and no other', async () => {
  const clip = join(scratch, 'clip');
  cpSync(tinyModels.clip, clip, { recursive: true });
  writeFileSync(join(clip, 'vision_model.onnx'), 'no graph');
  await using eta = await openTiny({ models: { ...tinyModels, clip } });
  await setTimeout(100); // nobody waits for what was begun, and nothing comes of its failure
  await assert.rejects(eta.respond(QUESTION), { code: 'ERR_MODEL_INVALID' });
  assert.equal((await eta.respond({ ...QUESTION, method: 'vanilla' })).verdict.action, 'answered');
});

test('it can be disposed of while an evaluator loads', async () => {
  for (const waitMs of [0, 5, 60]) {
    const eta = await openTiny();
    await setTimeout(waitMs);
    await eta.dispose();
    await assert.rejects(eta.respond(QUESTION), { code: 'ERR_DISPOSED' });
  }
});

test('where a device is asked for, what is to be said of it is said first', async () => {
  const told: string[] = [];
  const evaluatorDevice = process.platform === 'win32' ? 'coreml' : 'dml';
  await using eta = await openTiny({ evaluatorDevice, onNotice: ({ code }) => told.push(code) });
  assert.deepEqual(told, ['ETA_EVALUATOR_DEVICE']);
  assert.deepEqual(eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' });
});
