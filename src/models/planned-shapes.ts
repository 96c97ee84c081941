/** What the memory of models depends on that are to be fetched: heads of their GGUFs, asked for by range, and sizes. */
import { type HubClient, type HubFile, type Listing, openStart } from '../hub/index.js';
import { type GgufFile, ggufHead } from './gguf-file.js';
import type { ModelShapes } from './memory.js';
import { languageShape, projectorShape } from './model-shape.js';
import type { ModelPlan, PlannedPart } from './plan.js';
import type { Role } from './published.js';

/**
 * Null: there is no language model in the plan. A guard counts with its weights alone.
 *
 * @throws ModelError ERR_MODEL_INVALID; HubError; AbortError
 */
export async function plannedShapes(
  { parts }: ModelPlan,
  client: HubClient,
  signal?: AbortSignal,
): Promise<ModelShapes | null> {
  const of = (role: Role) => parts.find((part) => part.role === role);
  const language = of('languageModel');
  const projector = of('projector');
  if (language === undefined) return null;
  const head = (part: PlannedPart) => plannedGguf(client, part, signal);
  const clip = graphsOf(of('clip'));
  const guards = parts.filter(({ role }) => role === 'guard' || role === 'guardProjector');
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const guardBytes = sum(guards.flatMap(({ files }) => files).map(({ sizeBytes }) => sizeBytes));
  return {
    language: languageShape(await head(language)),
    projector: projector === undefined ? null : projectorShape(await head(projector)),
    evaluators: {
      clipBytes: clip.length === 0 ? null : sum(clip),
      rewardBytes: guardBytes === 0 ? null : guardBytes,
      trunk: null,
      largestGraphBytes: Math.max(0, ...clip),
      rewardCacheBytes: 0,
    },
  };
}

/** The heads of all files of a model as one. */
async function plannedGguf(client: HubClient, part: PlannedPart, signal?: AbortSignal): Promise<GgufFile> {
  const heads: GgufFile[] = [];
  for (const file of part.files) heads.push(await headOf(client, part.listing, file, signal));
  const [first, ...others] = heads as [GgufFile, ...GgufFile[]];
  return { ...first, tensors: [...first.tensors, ...others.flatMap(({ tensors }) => tensors)] };
}

async function headOf(client: HubClient, listing: Listing, file: HubFile, signal?: AbortSignal): Promise<GgufFile> {
  const start = (byteCount: number) => openStart(client, listing, file, { byteCount, signal });
  return await ggufHead({ path: `${listing.repo}/${file.path}`, sizeBytes: file.sizeBytes, start });
}

function graphsOf(clip: PlannedPart | undefined): number[] {
  return (clip?.files ?? []).filter(({ path }) => /\.onnx(_data)?$/.test(path)).map(({ sizeBytes }) => sizeBytes);
}
