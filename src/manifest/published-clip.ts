/**
 * CLIP as transformers.js publishes it: two graphs in `onnx`, beside them the original's own config.json,
 * preprocessor_config.json and tokenizer.json. What a manifest of ours says is read from these. Only numbers to reproduce
 * there are none: nobody wrote any down.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { issueOf, parsedJson } from '../json.js';
import { describePath } from '../options.js';
import { readRegularText, whyUnread } from '../regular-file.js';
import { type HashCheck, sha256Of } from '../verified/index.js';
import { type ClipManifest, clipManifestSchema, type ManifestFile, readManifest } from './manifest.js';

/** A CLIP's manifest, and the folder that its paths start from. */
export interface PlacedClip {
  readonly root: string;
  readonly manifest: ClipManifest;
  /** Whether the manifest is ours; else it was put together from what the publisher says. */
  readonly isOurs: boolean;
}

/**
 * @param place a folder with manifest.json, or the vision graph of a published CLIP
 * @param verifyHashes how the hashes of a published one are found, which no manifest names
 * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID
 */
export async function readClip(place: string, verifyHashes: HashCheck = true): Promise<PlacedClip> {
  if (!place.endsWith('.onnx'))
    return { root: place, manifest: await readManifest(place, clipManifestSchema), isOurs: true };
  const folder = dirname(place);
  const root = dirname(folder);
  const [config, pictures, tokenizer] = await Promise.all([
    read(join(root, 'config.json'), configSchema),
    read(join(root, 'preprocessor_config.json'), pictureSchema),
    read(join(root, 'tokenizer.json'), tokenizerSchema),
  ]);
  const inFolder = (name: string) => `${basename(folder)}/${name}`;
  const vision = basename(place);
  const [visionFile, textFile, tokenizerFile] = await Promise.all([
    fileOf(root, inFolder(vision), verifyHashes),
    fileOf(root, inFolder(vision.replace('vision_model', 'text_model')), verifyHashes),
    fileOf(root, 'tokenizer.json', verifyHashes),
  ]);
  const isSiglip = config.model_type === 'siglip';
  const manifest: ClipManifest = {
    format: 'eta-vlm/clip',
    version: 1,
    name: `${nameOf(root)} (${vision.replace(/^vision_model_?|\.onnx$/g, '') || 'fp32'})`,
    files: { vision: visionFile, text: textFile, tokenizer: tokenizerFile },
    vision: {
      input: 'pixel_values',
      output: isSiglip ? 'pooler_output' : 'image_embeds',
      ...pictureForm(pictures, join(root, 'preprocessor_config.json')),
    },
    text: {
      idsInput: 'input_ids',
      maskInput: null,
      output: isSiglip ? 'pooler_output' : 'text_embeds',
      ...(isSiglip ? siglipText(config, tokenizer, root) : clipText(config, tokenizer, root)),
    },
    unsafeClipScore: null,
    calibration: null,
    selfTest: [],
  };
  return { root, manifest, isOurs: false };
}

const CLIP_WINDOW = 77;
const SIGLIP_WINDOW = 64;

const configSchema = z.object({
  model_type: z.enum(['clip', 'siglip'], 'expected clip or siglip'),
  text_config: z.object({ max_position_embeddings: z.int().min(2).optional() }).default({}),
});

const side = z.int().min(1).max(4096);
const square = z
  .object({ height: side, width: side })
  .refine(({ height, width }) => height === width, 'expected a square');
const triple = z.array(z.number()).length(3);

const pictureSchema = z.object({
  size: z.union([side, z.object({ shortest_edge: side }), square]),
  crop_size: z.union([side, square]).optional(),
  do_center_crop: z.boolean().optional(),
  resample: z.union([z.literal(2), z.literal(3)], 'expected 2 (bilinear) or 3 (bicubic)').default(3),
  image_mean: triple,
  image_std: triple,
});

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ id: z.int().min(0), content: z.string() })).default([]),
  model: z.object({ vocab: z.unknown() }),
});
type TokenizerFile = z.output<typeof tokenizerSchema>;

/** Short side to the size and the middle of it, or both sides to the size. */
function pictureForm(
  { size, crop_size, do_center_crop, resample, image_mean: mean, image_std: std }: z.output<typeof pictureSchema>,
  path: string,
): Pick<ClipManifest['vision'], 'imageSize' | 'resample' | 'crop' | 'mean' | 'std'> {
  const shape = { resample: resample === 3 ? ('bicubic' as const) : ('bilinear' as const), mean, std };
  const cropped = crop_size === undefined || typeof crop_size === 'number' ? crop_size : crop_size.height;
  if (typeof size === 'object' && 'height' in size && do_center_crop !== true)
    return { imageSize: size.height, crop: 'squash', ...shape };
  const shortest = typeof size === 'number' ? size : 'height' in size ? size.height : size.shortest_edge;
  if (do_center_crop !== false && (cropped ?? shortest) === shortest)
    return { imageSize: shortest, crop: 'center', ...shape };
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${path}: expected pictures that are cut to the size that their short side gets, or squashed to a square, received another way. Convert the original with 'eta-vlm models convert clip'.`,
  );
}

type TextForm = Omit<ClipManifest['text'], 'idsInput' | 'maskInput' | 'output'>;

function clipText({ text_config }: z.output<typeof configSchema>, tokenizer: TokenizerFile, root: string): TextForm {
  const end = tokenId(tokenizer, '<|endoftext|>', root);
  const maxTokens = text_config.max_position_embeddings ?? CLIP_WINDOW;
  return { maxTokens, padTokenId: end, padTo: null, endTokenId: end };
}

/** SigLIP 2's: Gemma's tokenizer over lower case, an end behind it, padded to the window, which its graph is fixed to. */
function siglipText({ text_config }: z.output<typeof configSchema>, tokenizer: TokenizerFile, root: string): TextForm {
  const maxTokens = text_config.max_position_embeddings ?? SIGLIP_WINDOW;
  return {
    maxTokens,
    padTokenId: tokenId(tokenizer, '<pad>', root),
    padTo: maxTokens,
    endTokenId: tokenId(tokenizer, '<eos>', root),
    isLowerCase: true,
    appendsEnd: true,
  };
}

function tokenId({ added_tokens: added, model }: TokenizerFile, token: string, root: string): number {
  const vocabulary = model.vocab;
  const inVocabulary =
    typeof vocabulary === 'object' && vocabulary !== null && !Array.isArray(vocabulary)
      ? (vocabulary as Readonly<Record<string, unknown>>)[token]
      : undefined;
  const found = added.find(({ content }) => content === token)?.id ?? inVocabulary;
  if (typeof found === 'number') return found;
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${join(root, 'tokenizer.json')}: expected the token ${token}, which CLIP's tokenizer and SigLIP 2's have, received none: another tokenizer is not read here. Convert the original with 'eta-vlm models convert clip'.`,
  );
}

async function read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
  const text = await readRegularText(path).catch((cause: unknown) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected ${describePath(path)} beside the graphs of a published CLIP, but it cannot be read (${whyUnread(cause)}). Fetch the whole of it again.`,
      { cause },
    );
  });
  const { success, data, error } = schema.safeParse(parsedJson(text));
  if (success) return data;
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${path}: ${issueOf(error)}. This form of CLIP is not read here: convert the original with 'eta-vlm models convert clip'.`,
  );
}

/** "owner/name" of a folder in the hub's cache, else the folder's own name. */
function nameOf(root: string): string {
  const [, owner, name] = /models--(.+?)--([^/\\]+)[/\\]snapshots[/\\]/.exec(root) ?? [];
  return owner === undefined ? basename(root) : `${owner}/${name}`;
}

/** Hashes of this process: graphs are large. */
const hashed = new Map<string, string>();

/** What a file is now. In the hub's cache its name is its hash, and loading checks that; elsewhere it is computed. */
async function fileOf(root: string, path: string, verifyHashes: HashCheck): Promise<ManifestFile> {
  const place = join(root, path);
  const found = await stat(place).catch(() => null);
  if (found?.isFile() !== true)
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected ${describePath(place)}, a part of a published CLIP, but there is none. Fetch the whole of it again.`,
    );
  const blob = basename(await realpath(place));
  const key = `${place} ${found.size} ${found.mtimeMs}`;
  const sha256 = /^[0-9a-f]{64}$/.test(blob) ? blob : (hashed.get(key) ?? (await sha256Of(place, verifyHashes)));
  hashed.set(key, sha256);
  return { path, sizeBytes: found.size, sha256 };
}
