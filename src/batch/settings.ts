/**
 * What the answers of a batch depend on, beside their requests. Whoever goes on with a results file does it under the same
 * settings, or is refused.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EtaFacts } from '../eta/index.js';
import { sha256OfFile } from '../regular-file.js';
import type { KeptParts } from './answer-line.js';
import type { Shard } from './requests-file.js';

/** A value that JSON can hold. */
export type SettingValue =
  | string
  | number
  | boolean
  | null
  | readonly SettingValue[]
  | { readonly [name: string]: SettingValue };

/** Values that JSON can hold; compared field by field. */
export type BatchSettings = Readonly<Record<string, SettingValue>>;

/** What a batch decides, beside what its Eta was loaded as. */
export interface BatchDecisions extends KeptParts {
  /** What the seeds of requests without one are derived from, an integer from 0 to 4294967295. */
  seed: number;
  /** KV cells of the context: a request that needs more fails, or gets a shorter answer. */
  contextSize: number;
  /** Which part of the requests it answers. @default all */
  shard?: Shard | undefined;
}

/**
 * Everything that decides an answer and is not said by its request: version, policy, thresholds, models by their hashes.
 * What computes (threads, GPU layers, concurrency) is not among it.
 */
export async function settingsOf(
  facts: EtaFacts,
  decisions: BatchDecisions,
  signal?: AbortSignal,
): Promise<BatchSettings> {
  const { policy, thresholds, models, cacheType } = facts;
  const [version, languageModel, projector, clip, rewardModel] = await Promise.all([
    packageVersion(),
    sha256OfFile(models.languageModel, signal),
    models.projector === null ? null : sha256OfFile(models.projector, signal),
    models.clip === null ? null : evaluatorHash(models.clip),
    models.rewardModel === null ? null : evaluatorHash(models.rewardModel),
  ]);
  const { seed, contextSize, keepsTrace = false, repeatable = false, shard } = decisions;
  return {
    version,
    policy: { ...policy },
    thresholds: { ...thresholds },
    models: { languageModel, projector, clip, rewardModel },
    seed,
    contextSize,
    ...(cacheType !== 'f16' && { cacheType }), // left out by default, so that what was begun without it goes on
    keepsTrace,
    repeatable,
    shard: shard === undefined ? null : `${shard.index}/${shard.count}`,
  };
}

async function packageVersion(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

/**
 * SHA-256 over the manifest, which holds the hashes of the other files; loading checks those. Thresholds and what belongs
 * to them are left out: they are a setting of their own.
 */
async function evaluatorHash(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Record<string, unknown>;
  for (const name of ['unsafeClipScore', 'safeReward', 'calibration', 'selfTest']) delete manifest[name];
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}
