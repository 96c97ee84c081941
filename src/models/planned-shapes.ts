/** What the memory of models depends on that are to be fetched: heads of their GGUFs, asked for by range, and sizes. */
import { type HubClient, type HubFile, type Listing, openStart } from '../hub/index.js';
import { type GgufFile, ggufHead } from './gguf-file.js';
import type { ModelShapes } from './memory.js';
import { languageShape, projectorShape } from './model-shape.js';
import type { ModelPlan, PlannedPart } from './plan.js';
import type { Role } from './published.js';

/**
 * Null: there is no language model in the plan.
 *
 * @throws ModelError ERR_MODEL_INVALID; HubError; AbortError
 */
export async function plannedShapes(
  { parts }: ModelPlan,
  client: HubClient,
  signal?: AbortSignal,
): Promise<ModelShapes | null> {
  const of = (role: Role) => parts.find((part) => part.role === role);
  const shapes = async (model: PlannedPart | undefined, projector: PlannedPart | undefined) =>
    model === undefined
      ? null
      : {
          language: languageShape(await plannedGguf(client, model, signal)),
          projector: projector === undefined ? null : projectorShape(await plannedGguf(client, projector, signal)),
        };
  const model = await shapes(of('languageModel'), of('projector'));
  if (model === null) return null;
  const clip = graphsOf(of('clip'));
  return {
    ...model,
    guard: await shapes(of('guard'), of('guardProjector')),
    evaluators: {
      clipBytes: clip.length === 0 ? null : clip.reduce((total, size) => total + size, 0),
      rewardBytes: null,
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
