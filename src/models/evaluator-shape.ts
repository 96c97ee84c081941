/** What the evaluators' folders say of their size: their manifests, which name every file. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { readRegularText } from '../regular-file.js';
import { textGraphOf } from './clip-place.js';
import { readGguf } from './gguf-file.js';
import { type LanguageShape, languageShape } from './model-shape.js';

/** The layers of a reward model that llama.cpp runs. */
interface TrunkShape {
  readonly language: LanguageShape;
  /** As its manifest says: what its context depends on. */
  readonly maxTokens: number;
  readonly cacheType: 'f32' | 'f16';
}

/** Files of the evaluators, and what they keep. */
export interface EvaluatorShape {
  /** Weights of CLIP's two graphs; null where there is none. */
  readonly clipBytes: number | null;
  /** Weights of the reward model's graph: of its heads where it has a trunk. */
  readonly rewardBytes: number | null;
  readonly trunk: TrunkShape | null;
  readonly largestGraphBytes: number;
  /** Bytes of the caches that the reward model's graph keeps at most. */
  readonly rewardCacheBytes: number;
}

const fileSchema = z.object({ path: z.string(), sizeBytes: z.number() });

/** The part of the evaluators' manifests that tells sizes. */
const manifestSchema = z.object({
  files: z.record(z.string(), z.union([fileSchema, z.array(fileSchema)])),
  maxTokens: z.number().optional(),
  /** Of a reward model with a trunk. */
  cacheType: z.enum(['f32', 'f16']).optional(),
  cache: z
    .object({ layers: z.number(), heads: z.number(), headSize: z.number(), dtype: z.string() })
    .nullable()
    .optional(),
});

/** Caches of full length that are counted: the answer's, and as much again for those of prompts, which are shorter. */
const FULL_CACHES = 2;

/** @throws ModelError ERR_MODEL_INVALID for a folder without a manifest that can be read; ERR_MODEL_NOT_FOUND for its trunk */
export async function evaluatorShape(clip: string | null, rewardModel: string | null): Promise<EvaluatorShape> {
  const [eye, reader] = await Promise.all([clip, rewardModel].map((place) => (place === null ? null : readAny(place))));
  const cache = reader?.cache ?? null;
  const valueBytes = cache?.dtype === 'float16' ? 2 : 4;
  const perToken = cache === null ? 0 : 2 * cache.layers * cache.heads * cache.headSize * valueBytes;
  const graphs = [eye, reader].map((manifest) =>
    manifest === null || manifest === undefined ? null : graphBytes(manifest),
  );
  const [clipGraphs = null, rewardGraphs = null] = graphs;
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    clipBytes: clipGraphs === null ? null : sum(clipGraphs),
    rewardBytes: rewardGraphs === null ? null : sum(rewardGraphs),
    trunk:
      rewardModel === null || reader === null || reader === undefined ? null : await trunkShape(rewardModel, reader),
    largestGraphBytes: Math.max(0, ...(clipGraphs ?? []), ...(rewardGraphs ?? [])),
    rewardCacheBytes: perToken * (reader?.maxTokens ?? 0) * FULL_CACHES,
  };
}

type Manifest = z.output<typeof manifestSchema>;

async function readAny(place: string): Promise<Manifest> {
  return place.endsWith('.onnx') ? await publishedGraphs(place) : await read(place);
}

/** Of a CLIP as others publish it. @throws ModelError ERR_MODEL_NOT_FOUND */
async function publishedGraphs(vision: string): Promise<Manifest> {
  const paths = [vision, textGraphOf(vision)];
  const sizes = await Promise.all(paths.map((path) => stat(path).catch(() => null)));
  if (sizes.includes(null))
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the two graphs of a CLIP, ${paths.join(' and ')}, found fewer. Fetch the whole of it again.`,
    );
  return { files: { graphs: paths.map((path, at) => ({ path, sizeBytes: sizes[at]?.size ?? 0 })) } };
}

async function read(folder: string): Promise<Manifest> {
  const path = join(folder, 'manifest.json');
  try {
    return manifestSchema.parse(JSON.parse(await readRegularText(path)));
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected a manifest in ${path}, which cannot be read. Export the model again.`,
      { cause },
    );
  }
}

async function trunkShape(folder: string, { files, maxTokens, cacheType }: Manifest): Promise<TrunkShape | null> {
  const trunk = files['trunk'];
  if (trunk === undefined || Array.isArray(trunk) || maxTokens === undefined || cacheType === undefined) return null;
  return { language: languageShape(await readGguf(join(folder, trunk.path))), maxTokens, cacheType };
}

/** Every file that is no text and no trunk: graphs, and weights that lie beside them. */
function graphBytes({ files }: Manifest): number[] {
  return Object.entries(files)
    .filter(([role]) => role !== 'trunk')
    .flatMap(([, file]) => file)
    .filter(({ path }) => !path.endsWith('.json'))
    .map(({ sizeBytes }) => sizeBytes);
}
