/** `loadEta({ probe: true })`: every GGUF is tried in a process of its own, and what was loaded beside it is freed. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadEta } from '../../src/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { formFile, tinyForm } from '../decision/guards.js';
import { loadTiny, QUESTION, tinyModels } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-probe-'));
after(() => rmSync(folder, { recursive: true }));

/** A copy of which llama.cpp asserts, in the middle of a step, that its epsilon is not negative. */
function damaged(path: string): string {
  const key = 'attention.layer_norm_rms_epsilon';
  const bytes = readFileSync(path);
  bytes.writeFloatLE(-1, bytes.indexOf(key) + key.length + 4);
  const copy = join(folder, 'damaged.gguf');
  writeFileSync(copy, bytes);
  return copy;
}

const guard = goldenFile('qwen3-vl', 'model.gguf');
const form = formFile(tinyForm());

test('whole files load, and answer as without', async () => {
  const ask = async (probe: boolean) => {
    await using eta = await loadTiny({ probe });
    return (await eta.respond(QUESTION)).text;
  };
  assert.equal(await ask(true), await ask(false));
});

test('a language model or a guard that would end this process fails the load', async () => {
  const broken = [
    { models: { ...tinyModels, languageModel: damaged(tinyModels.languageModel) } },
    { decision: { form, guard: damaged(guard) } },
  ];
  for (const options of broken)
    await assert.rejects(loadTiny({ ...options, probe: true, device: 'CPU' }), {
      name: 'ModelError',
      code: 'ERR_MODEL_INVALID',
      message: /damaged\.gguf.*epsilon to be a number/,
    });
});

test('a reward model whose trunk would end this process fails the load', async () => {
  const rewardModel = join(folder, 'reward');
  cpSync(fileURLToPath(new URL('../golden/reward-trunk/scalar', import.meta.url)), rewardModel, { recursive: true });
  const trunk = join(rewardModel, 'trunk.gguf');
  writeFileSync(trunk, readFileSync(damaged(trunk)));
  const options = {
    models: { ...tinyModels, rewardModel },
    verifyHashes: false,
    device: 'CPU',
    thresholds: { safeReward: 0 },
  };
  await assert.rejects(loadTiny({ ...options, probe: true }), {
    name: 'ModelError',
    code: 'ERR_MODEL_INVALID',
    message: /trunk\.gguf.*epsilon to be a number/,
  });
});

test('probe is true or false', async () => {
  await assert.rejects(loadEta({ probe: 1 as never }), {
    code: 'ERR_INVALID_OPTION',
    message: /probe: expected true or false/,
  });
});
