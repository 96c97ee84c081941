/**
 * What the answers of a batch depend on, beside their requests. Whoever goes on with a results file does it under the same
 * settings, or is refused.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { EtaFacts } from '../eta/index.js';
import type { DecisionFacts } from '../loading/index.js';
import { readClip } from '../manifest/index.js';
import { integer, parseOptions } from '../options.js';
import { type Policy, rungsOf } from '../policy/index.js';
import { type HashCheck, sha256Of } from '../verified/index.js';
import type { KeptParts } from './answer-line.js';
import { MOST_SHARDS, type Shard, shardName } from './shard.js';

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
  /** Which part of the requests it answers; the others are passed over. @default all */
  shard?: Shard | undefined;
}

const decisionsSchema = z.strictObject({
  seed: integer(0, 0xffffffff),
  keepsTrace: z.boolean('expected true or false').default(false),
  repeatable: z.boolean('expected true or false').default(false),
  shard: z
    .strictObject(
      { index: integer(1, MOST_SHARDS), count: integer(1, MOST_SHARDS) },
      'expected a shard { index, count }',
    )
    .refine(({ index, count }) => index <= count, 'expected an index from 1 to count')
    .optional(),
});

/**
 * Everything that decides an answer and is not said by its request: version, policy, thresholds, models by their hashes,
 * size of the context (a request that needs more fails, or gets a shorter answer). What computes (threads, GPU layers, concurrency) is not among it.
 * Of an Eta that was loaded with `verifyHashes: 'changed'`, files that have not changed since they were hashed are not read.
 *
 * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION; what reading the models' files throws; AbortError
 */
export async function settingsOf(
  facts: EtaFacts,
  decisions: BatchDecisions,
  signal?: AbortSignal,
): Promise<BatchSettings> {
  const { seed, keepsTrace, repeatable, shard } = parseOptions(decisionsSchema, decisions, 'settingsOf');
  const {
    policy,
    thresholds,
    models,
    decision,
    safetyVector,
    conversationForm,
    contextSize,
    cacheType,
    exact,
    verifyHashes,
  } = facts;
  const [version, languageModel, projector, clip, rewardModel, asked] = await Promise.all([
    packageVersion(),
    sha256Of(models.languageModel, verifyHashes, signal),
    models.projector === null ? null : sha256Of(models.projector, verifyHashes, signal),
    models.clip === null ? null : evaluatorHash(models.clip, verifyHashes),
    models.rewardModel === null ? null : evaluatorHash(models.rewardModel, verifyHashes),
    decision === null ? null : decisionHashes(decision, verifyHashes, signal),
  ]);
  return {
    version,
    policy: deciding(policy),
    thresholds: { ...thresholds },
    models: { languageModel, projector, clip, rewardModel },
    ...(asked !== null && { decision: asked }),
    ...(safetyVector !== null && { safetyVector: { sha256: safetyVector.sha256, scale: safetyVector.scale } }),
    ...(conversationForm !== 'file' && { conversationForm }),
    seed,
    contextSize,
    ...(cacheType !== 'f16' && { cacheType }), // left out by default, so that what was begun without it goes on
    keepsTrace,
    repeatable,
    ...(exact && !repeatable && { exact }), // what is repeatable is exact anyway
    shard: shard === undefined ? null : shardName(shard),
  };
}

/** Of what is as it was before there was anything else, nothing is said, so that what was begun then goes on. */
function deciding({
  answerTemperature,
  answerTopP,
  firstCandidateCount,
  acceptAbove,
  gate,
  ladder,
  refusingPrefix,
  captionPrompt,
  captionedPrompt,
  release,
  pictureForm,
  principle,
  principleWeight,
  ...policy
}: Policy): { readonly [name: string]: SettingValue } {
  return {
    ...policy,
    ...(answerTemperature !== 0 && { answerTemperature, answerTopP }),
    ...(firstCandidateCount !== 0 && { firstCandidateCount, acceptAbove }),
    ...(gate !== null && { gate }),
    ...(rungsOf({ ...policy, gate, ladder }).length > 0 && { ladder, refusingPrefix, captionPrompt, captionedPrompt }),
    ...(release !== 'whole' && { release }),
    ...(pictureForm !== 'rows' && { pictureForm }),
    ...(principleWeight > 0 && { principle, principleWeight }),
  };
}

/** The wording of a decision, and who is asked. */
async function decisionHashes(
  { form, guard, guardProjector, wordingSha256 }: DecisionFacts,
  check: HashCheck,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, string | null>>> {
  return {
    form,
    wordingSha256,
    guard: guard === null ? null : await sha256Of(guard, check, signal),
    guardProjector: guardProjector === null ? null : await sha256Of(guardProjector, check, signal),
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
async function evaluatorHash(folder: string, check: HashCheck): Promise<string> {
  const manifest = (
    folder.endsWith('.onnx')
      ? { ...(await readClip(folder, check)).manifest }
      : JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
  ) as Record<string, unknown>;
  for (const name of ['unsafeClipScore', 'safeReward', 'calibration', 'selfTest']) delete manifest[name];
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}
