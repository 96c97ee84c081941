/** Whose hash is remembered is not read again, where that was asked for: the settings of a batch, and a calibration. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { settingsOf } from '../../src/batch/index.js';
import { calibrateDecision } from '../../src/calibration/decide.js';
import { sha256OfFile } from '../../src/regular-file.js';
import { stampOf } from '../../src/verified/index.js';
import { VerifiedRecord } from '../../src/verified/record.js';
import { goldenFile } from '../compatibility/golden.js';
import { tinyForm } from '../decision/guards.js';
import { loadTiny, tinyModels } from '../eta/tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-remembered-'));
const PLACE = 'ETA_VLM_CACHE';
const before = process.env[PLACE];
process.env[PLACE] = join(folder, 'cache');
after(() => {
  if (before === undefined) delete process.env[PLACE];
  else process.env[PLACE] = before;
  rmSync(folder, { recursive: true });
});

/** No file's. Where it is said of one, the record was believed, and the file not read. */
const PLANTED = 'f'.repeat(64);
const MODEL = join(folder, 'model.gguf');
const GUARD = join(folder, 'guard.gguf');
copyFileSync(tinyModels.languageModel, MODEL);
copyFileSync(goldenFile('qwen3-vl', 'model.gguf'), GUARD);

async function plant(path: string): Promise<void> {
  const stamp = await stampOf(path);
  assert.ok(stamp);
  VerifiedRecord.here().keep(stamp.digest, PLANTED);
}

async function modelHash(verifyHashes: boolean | 'changed'): Promise<unknown> {
  await using eta = await loadTiny({ method: 'vanilla', models: { languageModel: MODEL }, verifyHashes });
  assert.equal(eta.facts.verifyHashes, verifyHashes);
  const { models } = await settingsOf(eta.facts, { seed: 1 });
  return (models as { languageModel: unknown }).languageModel;
}

test("settings of a batch: 'changed' believes the record, true and false read the file", async () => {
  const sha256 = await sha256OfFile(MODEL);
  assert.equal(await modelHash('changed'), sha256, 'nothing is remembered yet');
  await plant(MODEL);
  assert.equal(await modelHash('changed'), PLANTED);
  assert.deepEqual([await modelHash(true), await modelHash(false)], [sha256, sha256]);
  await setTimeout(10);
  copyFileSync(tinyModels.languageModel, MODEL);
  assert.equal(await modelHash('changed'), sha256, 'a file that was written again is read again');
});

test("a calibration: the guard's hash", async () => {
  const options = { rule: { name: 'balance' }, threadCount: 1 } as unknown as Parameters<typeof calibrateDecision>[3];
  const bound = async (verifyHashes?: 'changed') => {
    const nothing = { pictures: null, answers: null };
    const files = { guard: GUARD, guardProjector: null };
    const { decision } = await calibrateDecision(tinyForm(), files, nothing, { ...options, verifyHashes });
    return decision.bond.guard.sha256;
  };
  await plant(GUARD);
  assert.deepEqual([await bound(), await bound('changed')], [await sha256OfFile(GUARD), PLANTED]);
});
