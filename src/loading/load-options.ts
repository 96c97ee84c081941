/** What `loadEta` takes. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { MAX_BATCH_SIZE } from '../engine/index.js';
import type { ModelChoice } from '../models/index.js';
import { POLICY_NAMES, policyFields } from '../policy/index.js';
import type { Notice, PolicyName } from '../types.js';
import { CONTEXT_SIZE, SEQUENCE_COUNT } from './defaults.js';

/** A part of the loading; `fraction` from 0 to 1. */
export interface LoadProgress {
  readonly part: 'language-model' | 'clip' | 'reward-model';
  readonly fraction: number;
}

const positive = (what: string, most: number) =>
  z.int(`expected ${what}`).min(1, `expected ${what}`).max(most, `expected ${what}`);

export const loadSchema = z.strictObject({
  /** How to decide, on whatever models: see {@link PolicyName}. @default 'standard' */
  policy: z
    .enum(POLICY_NAMES as readonly [PolicyName, ...PolicyName[]], `expected ${POLICY_NAMES.join(' or ')}`)
    .default('standard'),
  /** A name of the registry, a folder, or paths { languageModel, projector?, clip?, rewardModel? }. @default 'miniature' */
  models: z
    .custom<ModelChoice>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
      'expected a name, a folder, or paths { languageModel, projector, clip, rewardModel }',
    )
    .optional(),
  /** KV cells shared by all requests at once. @default 4096 */
  contextSize: positive('an integer >= 1', 2 ** 31 - 1).default(CONTEXT_SIZE),
  /** Sequences of all requests at once, 1 to 256; a request of N candidates takes N + 1. @default 32 */
  sequenceCount: positive('an integer from 1 to 256', 256).default(SEQUENCE_COUNT),
  /** Rows of one step at most. @default 512 */
  batchSize: positive(`an integer from 1 to ${MAX_BATCH_SIZE}`, MAX_BATCH_SIZE).optional(),
  /** Number format of the KV cells. @default 'f16' */
  cacheType: z.enum(['f32', 'f16', 'q8_0'], "expected 'f32', 'f16' or 'q8_0'").optional(),
  flashAttention: z.enum(['auto', 'on', 'off'], "expected 'auto', 'on' or 'off'").optional(),
  /** Layers of the language model on the GPU; 0 = none, -1 = all, 'auto' = as many as fit. @default 'auto' */
  gpuLayerCount: z.union([z.int().min(-1), z.literal('auto')], "expected an integer >= -1 or 'auto'").default('auto'),
  /** Whether models that need more memory than is free are refused before they are loaded. @default true */
  checkMemory: z.boolean('expected true or false').default(true),
  /** Threads of the language model, and of the evaluators. @default physical cores; at most 4 for the evaluators */
  threadCount: positive('an integer from 1 to 256', 256).optional(),
  /** Whether the SHA-256 of the evaluators' files is checked. @default true */
  verifyHashes: z.boolean('expected true or false').optional(),
  /**
   * File that `eta-vlm calibrate` wrote; what it holds goes before the models' own thresholds, and what `thresholds`
   * gives as a number goes before both. @default thresholds.json in the evaluator's folder, else its manifest
   */
  thresholdsFile: z.string('expected a path').min(1, 'expected a path').optional(),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(progress: LoadProgress) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  /**
   * Where no models are named: called for each request that the miniature knows nothing about, because a picture is no
   * drawing of its world, or because there is none. What it throws fails the request.
   * @default a warning of the process, code ETA_MINIATURE, for the first of them
   */
  onNotice: z
    .custom<(notice: Notice) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  ...policyFields,
});

/** Options of `loadEta`; those that change decisions are the defaults of every request. */
export type LoadEtaOptions = z.input<typeof loadSchema>;
export type ParsedLoadOptions = z.output<typeof loadSchema>;
