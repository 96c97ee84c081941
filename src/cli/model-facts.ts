/** What is known of models without loading them: sets by name or folder, and evaluators in folders of their own. */
import { stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { ModelError } from '../errors.js';
import {
  type ClipManifest,
  clipManifestSchema,
  filesOf,
  installedThresholds,
  type RewardManifest,
  readManifest,
  rewardManifestSchema,
} from '../manifest/index.js';
import { registeredModels, resolveModels } from '../models/index.js';
import { readRegularText } from '../regular-file.js';

type PartKind = 'language-model' | 'projector' | 'clip' | 'reward-model';

/** One model: a GGUF, or an evaluator's folder. */
export interface Part {
  readonly kind: PartKind;
  /** Absolute. */
  readonly path: string;
}

export interface PartFacts extends Part {
  readonly name: string;
  readonly sizeBytes: number;
  /** Such as "int8"; null where no manifest says. */
  readonly weights: string | null;
  /** Null for what has none by its nature; `value` null: not calibrated yet. */
  readonly threshold: {
    readonly field: 'unsafeClipScore' | 'safeReward';
    readonly value: number | null;
    readonly source: string;
  } | null;
}

export interface ModelSet {
  readonly name: string;
  readonly description: string | null;
  readonly parts: readonly Part[];
}

/**
 * The sets that the names and folders mean; without any, all that are known by name.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND
 */
export async function modelSets(names: readonly string[]): Promise<ModelSet[]> {
  const registered = await registeredModels();
  const sets: ModelSet[] = [];
  for (const name of names.length > 0 ? names : registered.map((models) => models.name)) {
    const evaluator = await evaluatorIn(name);
    if (evaluator !== null) {
      sets.push({ name: basename(evaluator.path), description: null, parts: [evaluator] });
      continue;
    }
    const { languageModel, projector, clip, rewardModel, name: found } = await resolveModels(name);
    const description = registered.find((models) => models.name === name)?.description ?? null;
    const parts: Part[] = [{ kind: 'language-model', path: languageModel }];
    if (projector !== null) parts.push({ kind: 'projector', path: projector });
    if (clip !== null) parts.push({ kind: 'clip', path: clip });
    if (rewardModel !== null) parts.push({ kind: 'reward-model', path: rewardModel });
    sets.push({ name: found, description, parts });
  }
  return sets;
}

/** A folder with a manifest of an evaluator, as `models convert` writes it; null for anything else. */
async function evaluatorIn(folder: string): Promise<Part | null> {
  const path = resolve(folder);
  const text = await readRegularText(join(path, 'manifest.json')).catch(() => null);
  if (text === null) return null;
  // A manifest that is damaged is for the loader to name, which needs a kind.
  return { kind: text.includes('"eta-vlm/clip"') ? 'clip' : 'reward-model', path };
}

/** @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function partFacts(part: Part): Promise<PartFacts> {
  if (part.kind === 'language-model' || part.kind === 'projector')
    return { ...part, name: basename(part.path), sizeBytes: await sizeOf(part.path), weights: null, threshold: null };
  const manifest = await manifestOf(part);
  const sizeBytes = filesOf(manifest).reduce((sum, file) => sum + file.sizeBytes, 0);
  const installed = await installedThresholds(part.path);
  const field: 'unsafeClipScore' | 'safeReward' = part.kind === 'clip' ? 'unsafeClipScore' : 'safeReward';
  const own = 'unsafeClipScore' in manifest ? manifest.unsafeClipScore : manifest.safeReward;
  const placed = installed?.file.clip?.unsafeClipScore ?? installed?.file.rewardModel?.safeReward;
  const threshold =
    placed === undefined
      ? { field, value: own, source: own === null ? 'none' : 'manifest' }
      : { field, value: placed, source: 'thresholds.json' };
  return { ...part, name: manifest.name, sizeBytes, weights: manifest.precision?.weights ?? null, threshold };
}

/** @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function manifestOf({ kind, path }: Part): Promise<ClipManifest | RewardManifest> {
  return kind === 'clip'
    ? await readManifest(path, clipManifestSchema)
    : await readManifest(path, rewardManifestSchema);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new ModelError('ERR_MODEL_NOT_FOUND', `Expected a file at ${path}, which cannot be read. Check the path.`, {
      cause,
    });
  }
}

/** From where the command was called, or whole where that is shorter. */
export function shown(path: string): string {
  const from = relative(process.cwd(), path) || '.';
  return from.length < path.length ? from : path;
}
