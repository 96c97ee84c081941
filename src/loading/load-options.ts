/** What `loadEta` takes. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { CONVERSATION_FORMS } from '../engine/conversation-forms.js';
import { GPU_LAYERS } from '../engine/gpu-layers.js';
import { MAX_BATCH_SIZE, MAX_CONTEXT_SIZE } from '../engine/index.js';
import type { ModelChoice } from '../models/index.js';
import { EVALUATOR_DEVICES, type EvaluatorDevice } from '../onnx/index.js';
import { deviceName, integer } from '../options.js';
import { type DecisionOptions, POLICY_NAMES, policyFields } from '../policy/index.js';
import type { Notice } from '../types/notice.js';
import type { PolicyName } from '../types/policy.js';
import type { ConversationForm } from '../types/turn.js';
import { type HashCheck, hashCheckSchema } from '../verified/index.js';
import type { DecisionChoice } from './decision.js';
import { CONTEXT_SIZE, SEQUENCE_COUNT } from './defaults.js';
import { type SafetyVectorChoice, safetyVectorSchema } from './safety-vector.js';

/** The longest that a timer of Node's takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** 3 GB of a picture's samples. */
const MAX_PIXELS = 1_000_000_000;

/** How far the loading is. */
export interface LoadProgress {
  /** What is being loaded; the parts come side by side, behind a download. */
  readonly part: 'download' | 'language-model' | 'clip' | 'reward-model' | 'guard';
  /** Of this part, from 0 to 1; of a download, of all bytes that were lacking. */
  readonly fraction: number;
  /** Of a download: bytes that have come, and all that were lacking. */
  readonly bytes?: ReceivedBytes | undefined;
}

/** Bytes of a download. */
export interface ReceivedBytes {
  /** Those that have come. */
  readonly received: number;
  /** All that were lacking when it began. */
  readonly total: number;
}

/** What `loadEta` takes; those that change decisions are the defaults of every request. */
export interface LoadEtaOptions extends DecisionOptions {
  /**
   * How to decide, on whatever models; each option of {@link DecisionOptions} that is named goes before it.
   * @default 'standard'
   */
  policy?: PolicyName | undefined;
  /**
   * Which files: a name of the registry, an address of a hub such as "hf:owner/name:Q4_K_M", a folder laid out as the
   * miniature's, or paths. @default 'miniature'
   */
  models?: ModelChoice | undefined;
  /**
   * How a conversation with a LLaVA-1.5 model is written: {@link ConversationForm}. Of no meaning for others. @default 'file'; of the
   * policy `paper` 'llava_v1', which the paper's code has
   */
  conversationForm?: ConversationForm | undefined;
  /**
   * Who judges answers in the reward model's place, which is not loaded then, by the log-odds of a reply of one token: a
   * guard's GGUF, or the language model itself (`self`). Its name alone, or with the guard's files: {@link DecisionChoice}.
   * Pictures are judged by CLIP where the models have one; where they have none, by the guard, if it sees pictures.
   * @default none: the reward model judges
   */
  decision?: string | DecisionChoice | undefined;
  /**
   * What the method `steered`, and the rung of that name, answer under: a direction that is added to what the language model
   * computes behind one layer ({@link SafetyVectorChoice}). A second context stands beside the first for it, of the same size.
   * Without the method or the rung it changes nothing. docs/steering.md. @default none
   */
  safetyVector?: SafetyVectorChoice | undefined;
  /**
   * The folder in which files from a hub lie: the cache that the hub's other clients share. No setting of a user is read
   * from it. @default `LLAMA_CACHE`, `HF_HUB_CACHE`, `hub` in `HF_HOME`, else `~/.cache/huggingface/hub`
   */
  modelsFolder?: string | undefined;
  /**
   * Whether files of `models` and of `decision` that are not here are fetched from the hub (`HF_ENDPOINT`, as `HF_TOKEN`) before anything is
   * loaded: their hashes are checked, and disk and memory before the first byte. Where all are here, no connection is
   * opened. HubError where it fails. @default false
   */
  download?: boolean | undefined;
  /** Whether licences that ask for consent are agreed to; without it such models are not fetched (ERR_LICENCE). @default false */
  acceptLicence?: boolean | undefined;
  /**
   * KV cells shared by all requests at once, a cell a token, 1 to 2147483647; llama.cpp rounds them up to a multiple of
   * 256. A request that needs more is refused, or gets fewer tokens.
   * @default 4096
   */
  contextSize?: number | undefined;
  /** Sequences of all requests at once, 1 to 256; a request of N candidates takes N + 1. @default 32 */
  sequenceCount?: number | undefined;
  /**
   * Rows of one step at most, 1 to 65536: a longer prompt takes several steps, and an abort waits for one.
   * @default 512; 128 on a CPU
   */
  batchSize?: number | undefined;
  /** Number format of the KV cells: `f32` takes twice the memory of `f16`, `q8_0` half of it. @default 'f16' */
  cacheType?: 'f32' | 'f16' | 'q8_0' | undefined;
  /** Whether attention runs fused; `auto` where the backend can. @default 'auto' */
  flashAttention?: 'auto' | 'on' | 'off' | undefined;
  /**
   * What the language model, its projector, a guard and a reward model's trunk compute on: a name that `eta-vlm doctor` shows, such
   * as `Vulkan0` or `CPU`, in upper or lower case; `auto`: all GPUs. One that is not there is ERR_DEVICE_NOT_FOUND.
   * @default 'auto'
   */
  device?: string | undefined;
  /**
   * Layers of the language model on the GPU, -1 to 100000. 0: none. -1: all. `auto`: as many as its free memory takes.
   * Without a GPU it has no meaning. @default 'auto'
   */
  gpuLayerCount?: number | 'auto' | undefined;
  /**
   * Whether models that need more memory than is free are refused (ERR_MEMORY) before they are loaded. @default true
   */
  checkMemory?: boolean | undefined;
  /**
   * Whether each GGUF is loaded in a process of its own first, the language model with its projector, a guard, a reward
   * model's trunk: on some damaged files llama.cpp ends the process, and then it ends that one, and the load fails with
   * ERR_MODEL_INVALID. Loading takes about twice as long, the first time: files that have not changed are loaded again
   * without. @default false
   */
  probe?: boolean | undefined;
  /**
   * Threads of the language model, and of the evaluators, 1 to 256.
   * @default as many of the physical cores as are found to be fastest, measured while it runs (all with
   * node-llama-cpp's own code for the processor); for the evaluators all of them, at most 4
   */
  threadCount?: number | undefined;
  /**
   * Where CLIP and the reward model run. `cpu`: what thresholds were calibrated on. `dml` (Windows), `coreml` (macOS),
   * `webgpu` (a driver of Direct3D 12, Metal or Vulkan) and `cuda` (Linux x64, with CUDA 12): that device, where it
   * starts, computes a probe rightly, and reproduces the model's self-test. `auto`: the first of the platform's that
   * does. Where none does, the CPU, and `onnxruntime`'s reason is told (`onNotice`, ETA_EVALUATOR_DEVICE);
   * `eta.facts.evaluatorDevices` says what came of it. A reward model's trunk is the language model's neighbour, wherever
   * that is. @default 'cpu'
   */
  evaluatorDevice?: EvaluatorDevice | undefined;
  /**
   * Whether requests leave what they read in the cache, for later ones that begin alike: another question about the same
   * picture, the next turn of a chat. It takes no room that a request wants. Later answers may differ in the last bits of
   * what is computed, and with quantised weights in a word. @default true
   */
  reuse?: boolean | undefined;
  /**
   * Whether the same request with the same seed gives the same answer and the same scores, bit for bit, whatever else is
   * asked: each waits until no other is under way, and takes nothing that another left, whatever `reuse` says. On the same
   * machine, with the same models and options; not measured on a GPU. What it costs: docs/exact.md. @default false
   */
  exact?: boolean | undefined;
  /**
   * Pixels of a picture at most, width times height, 1 to 1000000000; more is ERR_IMAGE_TOO_LARGE, before it is decoded. A
   * picture takes three bytes a pixel, some of them twice. The language model's own bounds stay: 32768 on a side, 268435456 in all.
   * @default 100 million
   */
  maxPixels?: number | undefined;
  /**
   * Milliseconds without a request after which language model, projector and evaluators are freed, 1 to 2147483647; the
   * next request loads them again, and waits for it. Counted from the load, and from the end of the last request. It does
   * not keep the process alive. @default never
   */
  idleUnloadMs?: number | undefined;
  /**
   * Whether the SHA-256 of the evaluators' files is checked, and not their size alone. `'changed'`: of those that changed
   * since they were checked last, and their self-tests are left out where nothing changed that they depend on: what was
   * found right is kept, as digests alone, in a file of the user's cache folder (docs/privacy.md). With `true` and `false`
   * nothing is read there or kept. @default true
   */
  verifyHashes?: HashCheck | undefined;
  /**
   * A file that `eta-vlm calibrate` wrote. What it holds goes before the models' own thresholds; what `thresholds`
   * gives as a number goes before both. @default thresholds.json in the evaluator's folder, else its manifest
   */
  thresholdsFile?: string | undefined;
  /** Ends the loading with an AbortError; what was loaded by then is freed. */
  signal?: AbortSignal | undefined;
  /** Called as the parts are loaded. What it throws ends the loading. */
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /**
   * Told what no answer can say of itself. ETA_EVALUATOR_DEVICE: on loading, when an evaluator does not run on the device
   * that was asked for; ETA_DECISION_FORM: then too, when an own form of `decision` takes any guard, or less of a decision
   * than the shipped ones do. What it throws then fails the loading. ETA_MINIATURE: where no models are named, for each request that
   * the miniature knows nothing about, because a picture is no drawing of its world, or because there is none; what it
   * throws fails the request.
   * @default a warning of the process with that code, for the first of each
   */
  onNotice?: ((notice: Notice) => void) | undefined;
}

const LAYERS_OR_AUTO = `expected an integer from ${GPU_LAYERS.least} to ${GPU_LAYERS.most}, or 'auto'`;

export const loadSchema = z.strictObject({
  policy: z
    .enum(POLICY_NAMES as readonly [PolicyName, ...PolicyName[]], `expected ${POLICY_NAMES.join(', ')}`)
    .default('standard'),
  models: z
    .custom<ModelChoice>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
      'expected a name, a folder, or paths { languageModel, projector, clip, rewardModel }',
    )
    .optional(),
  decision: z
    .custom<string | DecisionChoice>(
      (value) => typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
      'expected a form, or a form with the files of a guard',
    )
    .optional(),
  conversationForm: z.enum(CONVERSATION_FORMS, 'expected file or llava_v1').optional(),
  safetyVector: safetyVectorSchema.optional(),
  modelsFolder: z.string('expected a folder').min(1, 'expected a folder').optional(),
  download: z.boolean('expected true or false').default(false),
  acceptLicence: z.boolean('expected true or false').default(false),
  contextSize: integer(1, MAX_CONTEXT_SIZE).default(CONTEXT_SIZE),
  sequenceCount: integer(1, 256).default(SEQUENCE_COUNT),
  batchSize: integer(1, MAX_BATCH_SIZE).optional(),
  cacheType: z.enum(['f32', 'f16', 'q8_0'], "expected 'f32', 'f16' or 'q8_0'").optional(),
  flashAttention: z.enum(['auto', 'on', 'off'], "expected 'auto', 'on' or 'off'").optional(),
  device: deviceName.optional(),
  gpuLayerCount: z
    .union([integer(GPU_LAYERS.least, GPU_LAYERS.most), z.literal('auto')], LAYERS_OR_AUTO)
    .default('auto'),
  checkMemory: z.boolean('expected true or false').default(true),
  probe: z.boolean('expected true or false').default(false),
  threadCount: integer(1, 256).optional(),
  evaluatorDevice: z.enum(EVALUATOR_DEVICES, `expected ${EVALUATOR_DEVICES.join(', ')}`).default('cpu'),
  reuse: z.boolean('expected true or false').default(true),
  exact: z.boolean('expected true or false').default(false),
  maxPixels: integer(1, MAX_PIXELS).optional(),
  idleUnloadMs: integer(1, MAX_TIMER_MS).optional(),
  verifyHashes: hashCheckSchema.optional(),
  thresholdsFile: z.string('expected a path').min(1, 'expected a path').optional(),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(progress: LoadProgress) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  onNotice: z
    .custom<(notice: Notice) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  ...policyFields,
});

/** The options with their defaults. */
export type ParsedLoadOptions = z.output<typeof loadSchema>;
