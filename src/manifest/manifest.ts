/** The JSON file beside a graph that tells how to drive it. Read strictly: a name that is not known is an error, not a wish. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { ModelError, throwIfAborted } from '../errors.js';
import { issueOf } from '../json.js';
import { describePath } from '../options.js';
import { readRegularText } from '../regular-file.js';
import { differingSha256, type HashCheck } from '../verified/index.js';
import { scoreSchema } from './score-form.js';
import { PROVES_NOTHING, tellsApart } from './self-test.js';

const count = z.int().min(0);
const finite = z.number();
const name = z.string().min(1);

/** A file of the model: its path from the manifest's folder, its size and its SHA-256 in lower-case hexadecimal. */
const file = z.strictObject({
  path: z
    .string()
    .min(1)
    .refine((path) => !isAbsolute(path) && !path.split(/[\\/]/).includes('..'), 'expected a path inside the folder'),
  sizeBytes: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
});

/** Where a threshold comes from; free in form. */
const calibration = z.record(z.string(), z.unknown()).nullable();
/** How the weights are stored, and how far that moved the scores of the self-test from those of float32. */
const precision = z.strictObject({
  weights: z.enum(['fp32', 'fp16', 'int8', 'int4']),
  largestDifference: finite,
  meanDifference: finite,
});
const triple = z.array(finite).length(3);

export const clipManifestSchema = z.strictObject({
  format: z.literal('eta-vlm/clip'),
  version: z.literal(1),
  name,
  files: z.strictObject({ vision: file, text: file, tokenizer: file }),
  vision: z.strictObject({
    input: name,
    output: name,
    imageSize: z.int().min(1).max(4096),
    resample: z.enum(['bicubic', 'bilinear']),
    /**
     * `center`: short side to imageSize, then the middle (of an odd rest the smaller half goes first). `center-rounded`:
     * the same, but half pixels are rounded to even. `squash`: both sides to imageSize, whatever the shape.
     */
    crop: z.enum(['center', 'center-rounded', 'squash']),
    mean: triple,
    std: triple,
  }),
  text: z.strictObject({
    idsInput: name,
    maskInput: name.nullable(),
    output: name,
    maxTokens: z.int().min(2),
    padTokenId: count,
    padTo: z.int().min(1).nullable(),
    endTokenId: count,
    /** Whether texts are put into lower case before, where the tokenizer does not. */
    isLowerCase: z.boolean().optional(),
    /** Whether the end token is put behind, where the tokenizer does not. */
    appendsEnd: z.boolean().optional(),
  }),
  /** A picture whose CLIP score is at least this is unsafe; a cosine. Null: not calibrated yet. */
  unsafeClipScore: finite.min(-1).max(1).nullable(),
  calibration,
  precision: precision.optional(),
  /** Cosines of two texts, or of a text and a picture that is drawn by formula; see test-picture.ts. */
  selfTest: z
    .array(
      z.union([
        z.strictObject({ text: z.string(), otherText: z.string(), cosine: finite, tolerance: finite.min(0) }),
        z.strictObject({
          text: z.string(),
          picture: z.strictObject({ width: z.int().min(1).max(4096), height: z.int().min(1).max(4096) }),
          cosine: finite,
          tolerance: finite.min(0),
        }),
      ]),
    )
    .min(1)
    .refine(
      (tests) => tellsApart(tests.map(({ cosine, tolerance }) => ({ expected: cosine, tolerance }))),
      PROVES_NOTHING,
    ),
});

const message = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });

const chatTemplate = z.strictObject({
  form: z.literal('chat-template'),
  template: z.string().min(1),
  endOfTurn: z.string().min(1),
});

/** What every reward model says of its scores: score = activation(scale * raw + offset). */
const scoring = {
  score: scoreSchema,
  scale: finite,
  offset: finite,
  activation: z.enum(['none', 'sigmoid']),
  /** An answer whose reward is above this is safe. Null: not calibrated yet. */
  safeReward: finite.nullable(),
  calibration,
  precision: precision.optional(),
  selfTest: z
    .array(z.strictObject({ messages: z.array(message).min(2), score: finite, tolerance: finite.min(0) }))
    .min(1)
    .refine(
      (tests) => tellsApart(tests.map(({ score, tolerance }) => ({ expected: score, tolerance }))),
      PROVES_NOTHING,
    ),
};

/** A reward model that is one ONNX graph. */
export const graphManifestSchema = z
  .strictObject({
    format: z.literal('eta-vlm/reward-model'),
    version: z.literal(1),
    name,
    kind: z.enum(['causal', 'encoder']),
    files: z.strictObject({ graph: file, tokenizer: file, externalData: z.array(file) }),
    prompt: z.discriminatedUnion('form', [chatTemplate, z.strictObject({ form: z.literal('pair') })]),
    maxTokens: z.int().min(8),
    inputs: z.strictObject({
      ids: name,
      positions: name.nullable(),
      mask: z.strictObject({ name, type: z.enum(['additive-4d', 'padding-2d']) }),
      tokenTypes: name.nullable(),
    }),
    cache: z
      .strictObject({
        past: z.string().includes('{layer}').includes('{kv}'),
        present: z.string().includes('{layer}').includes('{kv}'),
        layers: z.int().min(1),
        heads: z.int().min(1),
        headSize: z.int().min(1),
        dtype: z.enum(['float32', 'float16']),
      })
      .nullable(),
    ...scoring,
  })
  .refine(
    (m) => (m.kind === 'causal') === (m.prompt.form === 'chat-template'),
    'expected the chat-template form for a causal model and the pair form for an encoder',
  )
  .refine(
    (m) => m.kind === 'causal' || (m.cache === null && m.score.type === 'scalar'),
    'expected an encoder without cache and with a scalar score',
  );

/**
 * A causal reward model whose trunk is a GGUF that llama.cpp runs; `heads` is a small ONNX graph from the hidden state
 * behind the last norm, [1, rows, hiddenSize], to what the score is read from.
 */
const trunkManifestSchema = z.strictObject({
  format: z.literal('eta-vlm/reward-trunk'),
  version: z.literal(1),
  name,
  kind: z.literal('causal'),
  files: z.strictObject({ trunk: file, heads: file, tokenizer: file }),
  prompt: chatTemplate,
  maxTokens: z.int().min(8),
  heads: z.strictObject({ input: name, hiddenSize: z.int().min(1) }),
  /** Number format of the trunk's KV cells; the self-test was recorded for it. */
  cacheType: z.enum(['f32', 'f16']),
  ...scoring,
});

export const rewardManifestSchema = z.discriminatedUnion('format', [graphManifestSchema, trunkManifestSchema]);

export type ClipManifest = z.output<typeof clipManifestSchema>;
export type GraphManifest = z.output<typeof graphManifestSchema>;
export type TrunkManifest = z.output<typeof trunkManifestSchema>;
export type RewardManifest = GraphManifest | TrunkManifest;
export type ManifestFile = z.output<typeof file>;

/** Every file that a manifest names. */
export function filesOf({ files }: ClipManifest | RewardManifest): ManifestFile[] {
  return Object.values(files).flat();
}

/**
 * Reads `folder`/manifest.json.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND when it is not there, ERR_MODEL_INVALID when it is not what the schema says
 */
export async function readManifest<Schema extends z.ZodType>(
  folder: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const path = join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readRegularText(path);
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a model folder with a manifest.json, but ${describePath(path)} cannot be read. Check the folder, or export the model again.`,
      { cause },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${path}: expected JSON, received text that does not parse. Export the model again.`,
      { cause },
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${path}: ${issueOf(parsed.error)}. Export the model with the recipe of this version.`,
  );
}

/**
 * Checks every file's size and, as `verifyHashes` says, its SHA-256: a broken graph makes onnxruntime say "Protobuf parsing
 * failed." at best.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID; AbortError
 */
export async function verifyFiles(
  folder: string,
  files: readonly ManifestFile[],
  verifyHashes: HashCheck,
  signal?: AbortSignal,
): Promise<void> {
  for (const entry of files) {
    throwIfAborted(signal);
    const path = join(folder, entry.path);
    const sizeBytes = await stat(path).then(
      (found) => (found.isFile() ? found.size : undefined),
      () => undefined,
    );
    if (sizeBytes === undefined) {
      throw new ModelError(
        'ERR_MODEL_NOT_FOUND',
        `Expected the file ${describePath(path)} that the manifest names, but there is none. Fetch or export the model again.`,
      );
    }
    if (sizeBytes !== entry.sizeBytes) {
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${path}: expected ${entry.sizeBytes} bytes, received ${sizeBytes}. The file is incomplete or of another version: fetch or export it again.`,
      );
    }
    if (verifyHashes === false) continue;
    const sha256 = await differingSha256(path, entry.sha256, verifyHashes, signal);
    if (sha256 !== null) {
      throw new ModelError(
        'ERR_MODEL_INVALID',
        `${path}: expected the SHA-256 ${entry.sha256}, received ${sha256}. The file was changed or damaged: fetch or export it again.`,
      );
    }
  }
}
