/** A guard beside the language model: what it takes of memory, what is bound to it, how it goes and comes back. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { settingsOf } from '../../src/batch/index.js';
import { Guard, type GuardOpener } from '../../src/decision/index.js';
import { fitMemory } from '../../src/loading/index.js';
import { modelShapes, resolveModels } from '../../src/models/index.js';
import { goldenFile } from '../compatibility/golden.js';
import { loadTiny, QUESTION, tinyModels } from '../eta/tiny.js';
import { formFile, opener, tinyForm } from './guards.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-guard-'));
after(() => rmSync(scratch, { recursive: true }));

const GUARD = goldenFile('qwen3-vl', 'model.gguf');
const PROJECTOR = goldenFile('qwen3-vl', 'mmproj.gguf');
const FORM = tinyForm();
const MODELS = { languageModel: tinyModels.languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
const SAFE = { unsafeClipScore: -1, safeDecision: -1e6 };
const MACHINE = { ramFreeBytes: 2 ** 34, gpuFreeBytes: 0, isShared: false, repackedTypes: [] };

test('its context is the one that memory was asked for', async () => {
  const asked: object[] = [];
  const openGuard: GuardOpener = (guard) => {
    asked.push(guard);
    return opener()(guard);
  };
  const files = { guard: GUARD, guardProjector: PROJECTOR };
  await (await Guard.load({ form: FORM, ...files, openGuard })).dispose();
  const models = await resolveModels(MODELS);
  const fit = async (guardProjector: string | null, maxTokens = FORM.maxTokens) => {
    const shapes = await modelShapes(models, { guard: GUARD, guardProjector });
    const { plan, estimate } = fitMemory(shapes, { guardMaxTokens: maxTokens }, MACHINE);
    return { plan, bytes: estimate.parts.find(({ name }) => name === 'guard')?.ramBytes ?? 0 };
  };
  const { plan, bytes } = await fit(PROJECTOR);
  const { batchSize, ...context } = plan.guard ?? { batchSize: 0 };
  assert.deepEqual([{ ...files, ...context }], asked);
  assert.equal(batchSize, 128);
  assert.ok((await fit(null)).bytes < bytes, 'a projector takes memory');
  assert.ok((await fit(PROJECTOR, 32_768)).bytes > bytes, 'more tokens take more');
  const without = fitMemory(await modelShapes(models), {}, MACHINE);
  assert.equal(without.plan.guard, null);
  assert.ok(without.estimate.parts.every(({ name }) => name !== 'guard'));
});

test('a guard that has no room is refused before anything is loaded', async () => {
  const shapes = await modelShapes(await resolveModels(MODELS), { guard: GUARD, guardProjector: null });
  const fits = (guardMaxTokens: number) => {
    const needed = fitMemory(shapes, { guardMaxTokens: 1024 }, MACHINE).addedBytes;
    return fitMemory(shapes, { guardMaxTokens }, { ...MACHINE, ramFreeBytes: needed }).fits;
  };
  assert.deepEqual([fits(1024), fits(65_536)], [true, false]);
});

test('it goes and comes back with the rest, and must be the same file', async () => {
  const guard = join(scratch, 'guard.gguf');
  cpSync(GUARD, guard);
  await using eta = await loadTiny({ models: MODELS, decision: { form: formFile(FORM), guard } });
  const request = { ...QUESTION, thresholds: SAFE };
  const { verdict } = await eta.respond(request);
  assert.equal(await eta.unload(), true);
  assert.deepEqual((await eta.respond(request)).verdict, verdict);
  assert.equal(await eta.unload(), true);
  utimesSync(guard, 1, 1);
  await assert.rejects(eta.respond(request), {
    code: 'ERR_MODEL_MISMATCH',
    message: /guard\.gguf: expected the file that was loaded first/,
  });
});

test('a guard that is no GGUF fails the load; so does an abort', async () => {
  const guard = join(scratch, 'none.gguf');
  writeFileSync(guard, 'nothing of the kind');
  const decision = { form: formFile(FORM), guard };
  await assert.rejects(loadTiny({ models: MODELS, decision }), { code: 'ERR_MODEL_INVALID' });
  const signal = AbortSignal.abort();
  await assert.rejects(loadTiny({ models: MODELS, decision: { ...decision, guard: GUARD }, signal }), {
    name: 'AbortError',
  });
});

test('a batch is bound to the wording, the guard and the threshold; without a decision to none of them', async () => {
  const of = async (change: Parameters<typeof loadTiny>[0]) => {
    await using eta = await loadTiny({ models: MODELS, ...change });
    return await settingsOf(eta.facts, { seed: 1 });
  };
  const decision = { form: formFile(FORM), guard: GUARD };
  const bound = await of({ decision });
  const { form, wordingSha256, guard } = bound['decision'] as Record<string, unknown>;
  assert.deepEqual([form, wordingSha256], ['tiny', FORM.wordingSha256]);
  assert.match(String(guard), /^[0-9a-f]{64}$/);
  assert.equal((bound['thresholds'] as Record<string, unknown>)['safeDecision'], 0);
  assert.notDeepEqual(await of({ decision: { ...decision, form: formFile(tinyForm({ policy: 'Other.' })) } }), bound);
  const plain = await of({ method: 'vanilla' });
  assert.equal(Object.hasOwn(plain, 'decision'), false);
  assert.equal(Object.hasOwn(plain['thresholds'] as object, 'safeDecision'), false);
});
