/** What a model is loaded with, and what its methods take beside their arguments. */
import { types } from 'node:util';
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import { deviceName, integer, integerFrom } from '../options.js';
import type { ConversationForm } from '../types/turn.js';
import { maxTokensField } from './chat-template.js';
import { CONVERSATION_FORMS } from './conversation-forms.js';
import { layerDevices } from './devices.js';
import { GPU_LAYERS } from './gpu-layers.js';

/** What the addon takes: libmtmd computes with 32-bit sizes. */
export const MAX_SIDE = 32_768;
export const MAX_PIXELS = 2 ** 28;

export const modelSchema = z.strictObject({
  modelPath: z.string('expected a path').min(1, 'expected a path'),
  projectorPath: z.string('expected a path').min(1, 'expected a path').optional(),
  device: deviceName.default('auto'),
  gpuLayerCount: integer(GPU_LAYERS.least, GPU_LAYERS.most).default(-1),
  projectorOnGpu: z.boolean('expected true or false').optional(),
  threadCount: integer(1, 256).optional(),
  useMmap: z.boolean('expected true or false').default(true),
  useMlock: z.boolean('expected true or false').default(false),
  probe: z.boolean('expected true or false').default(false),
  conversationForm: z.enum(CONVERSATION_FORMS, 'expected file or llava_v1').default('file'),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(fraction: number) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
});

/** What `Model.load` takes. */
export interface ModelOptions {
  /** Path of the language model's GGUF. */
  modelPath: string;
  /** Path of its projector's GGUF (mmproj). @default none: the model takes text alone */
  projectorPath?: string | undefined;
  /**
   * What to compute on: a name that `devices()` gives, such as `Vulkan0` or `CPU`, in upper or lower case; `auto`: all
   * GPUs. The projector goes where the layers go. @default 'auto'
   */
  device?: string | undefined;
  /** Layers on the GPU, -1 to 100000. 0: none. -1: all. Without a GPU it has no meaning. @default -1 */
  gpuLayerCount?: number | undefined;
  /** Whether the projector may use the GPU. @default true, unless `gpuLayerCount` is 0 */
  projectorOnGpu?: boolean | undefined;
  /**
   * Threads of the image encoder, and of every step of its contexts, 1 to 256.
   * @default physical cores for the encoder; a step gets as many of them as are found to be fastest, measured while it
   * runs, or all with node-llama-cpp's own code for the processor
   */
  threadCount?: number | undefined;
  /** Whether the weights are mapped instead of read. @default true */
  useMmap?: boolean | undefined;
  /** Whether the weights are kept from being swapped out. @default false */
  useMlock?: boolean | undefined;
  /**
   * Whether the files are loaded in a process of their own first, with the same options: it decodes a token and encodes a
   * picture. llama.cpp ends the process on some damaged files; then it ends that one, and this load fails with
   * ERR_MODEL_INVALID. Takes about as long as the load. @default false
   */
  probe?: boolean | undefined;
  /** How a conversation is written for it: {@link ConversationForm}. @default 'file' */
  conversationForm?: ConversationForm | undefined;
  /** Ends the loading with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Gets a fraction from 0 to 1. What it throws ends the loading. */
  onProgress?: ((fraction: number) => void) | undefined;
}

export const imageSchema = z.object({
  data: z.custom<Uint8Array>(types.isUint8Array, 'expected RGB bytes'),
  width: integerFrom(1),
  height: integerFrom(1),
});

export const tokenizeSchema = z.strictObject({
  parseSpecial: z.boolean('expected true or false').default(false),
  isContinued: z.boolean('expected true or false').default(false),
  maxTokens: maxTokensField,
  signal: signalSchema.optional(),
});

/** What `model.tokenize` takes beside the text. */
export interface TokenizeOptions {
  /** Whether text such as "</s>" becomes the token of that name. @default false */
  parseSpecial?: boolean | undefined;
  /** Whether the text stands behind other text: SentencePiece puts a space before one that does not. @default false */
  isContinued?: boolean | undefined;
  /** Tokens at most, 0 to 2147483647; more is ERR_PROMPT_TOO_LONG, mostly before any is made. @default 2147483647 */
  maxTokens?: number | undefined;
  /** Ends it at once with an AbortError. */
  signal?: AbortSignal | undefined;
}

export const encodeSchema = z.strictObject({ signal: signalSchema.optional() });

/** What `model.encodeImage` takes beside the picture. */
export interface EncodeImageOptions {
  /** Ends it at once with an AbortError; the encoder stops within one of its blocks. */
  signal?: AbortSignal | undefined;
}

/** Where layers and projector go, as the addon takes it. @throws UsageError ERR_DEVICE_NOT_FOUND */
export function placeOf({ device, gpuLayerCount, projectorOnGpu }: z.output<typeof modelSchema>) {
  const found = layerDevices(device);
  if (device.toLowerCase() === 'cpu') return { gpuLayerCount: 0, projectorOnGpu: false };
  const place = { gpuLayerCount, projectorOnGpu: projectorOnGpu ?? gpuLayerCount !== 0 };
  return device.toLowerCase() === 'auto' ? place : { ...place, device: found[0]?.name };
}
