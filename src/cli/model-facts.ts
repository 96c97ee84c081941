/** What is known of models without loading them: sets by name or folder, and evaluators in folders of their own. */
import { stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { ModelError } from '../errors.js';
import {
  type ClipManifest,
  filesOf,
  installedThresholds,
  type RewardManifest,
  readClip,
  readManifest,
  rewardManifestSchema,
} from '../manifest/index.js';
import {
  clipPlace,
  type PublishedSet,
  publishedSets,
  type ResolvedModels,
  registeredModels,
  resolveModels,
} from '../models/index.js';
import { readRegularText } from '../regular-file.js';
import type { CalibratedOn } from '../types/thresholds.js';
import { visibleName } from '../visible.js';
import { choiceOf } from './chosen-models.js';
import { readConfig } from './config/config-file.js';

type PartKind = 'language-model' | 'projector' | 'clip' | 'reward-model' | 'guard' | 'guard-projector';

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
    /** Which classes it was measured on; null: on none. */
    readonly calibratedOn: CalibratedOn | null;
  } | null;
}

export interface ModelSet {
  readonly name: string;
  readonly description: string | null;
  /** None where it is not here. */
  readonly parts: readonly Part[];
  /** What the registry says of a set that others publish; null for all else. */
  readonly published: PublishedSet | null;
  /** What to resolve for its files; null where they are not here. */
  readonly models: ResolvedModels | null;
  /** Why a set of one's own cannot be used; null for all else. */
  readonly problem: string | null;
}

/**
 * The sets that the names and folders mean; without any, all that are known by name.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND
 */
export async function modelSets(names: readonly string[]): Promise<ModelSet[]> {
  const registered = await registeredModels();
  const published = await publishedSets();
  const added = Object.keys(readConfig().added);
  const known = [...registered.map(({ name }) => name), ...added, ...published.map(({ name }) => name)];
  const sets: ModelSet[] = [];
  for (const name of names.length > 0 ? names : known) {
    const evaluator = await evaluatorIn(name);
    if (evaluator !== null) {
      const set = { name: basename(evaluator.path), description: null, published: null, models: null, problem: null };
      sets.push({ ...set, parts: [evaluator] });
      continue;
    }
    const set = published.find((one) => one.name === name) ?? null;
    const description = (set ?? registered.find((one) => one.name === name))?.description ?? null;
    let problem: string | null = null;
    const models = await resolveModels(choiceOf(name)).catch((error: unknown) => {
      if (!(error instanceof ModelError) || (set === null && names.length > 0)) throw error;
      if (set === null) problem = error.message;
      return null; // not here, or not any more as it should be
    });
    const own = added.includes(name) ? name : (models?.name ?? name);
    sets.push({
      name: own,
      description,
      parts: models === null ? [] : partsOf(models),
      published: set,
      models,
      problem,
    });
  }
  return sets;
}

function partsOf({ languageModel, projector, clip, rewardModel, published }: ResolvedModels): Part[] {
  const parts: Part[] = [{ kind: 'language-model', path: languageModel }];
  if (projector !== null) parts.push({ kind: 'projector', path: projector });
  if (clip !== null) parts.push({ kind: 'clip', path: clip });
  if (rewardModel !== null) parts.push({ kind: 'reward-model', path: rewardModel });
  if (published?.guard) parts.push({ kind: 'guard', path: published.guard.guard });
  const guardProjector = published?.guard?.guardProjector;
  if (guardProjector !== undefined) parts.push({ kind: 'guard-projector', path: guardProjector });
  return parts;
}

/** A folder with a manifest of an evaluator, as `models convert` writes it; null for anything else. */
async function evaluatorIn(folder: string): Promise<Part | null> {
  const path = resolve(folder);
  const place = await clipPlace(path);
  if (place.endsWith('.onnx')) return { kind: 'clip', path: place };
  const text = await readRegularText(join(path, 'manifest.json')).catch(() => null);
  if (text === null) return null;
  // A manifest that is damaged is for the loader to name, which needs a kind.
  return { kind: text.includes('"eta-vlm/clip"') ? 'clip' : 'reward-model', path };
}

/** Whether it is one file of llama.cpp's form. */
export function isGguf({ kind }: Part): boolean {
  return kind === 'language-model' || kind === 'projector' || kind === 'guard' || kind === 'guard-projector';
}

const BOTH: CalibratedOn = 'both';

/** @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function partFacts(part: Part): Promise<PartFacts> {
  if (isGguf(part))
    return { ...part, name: basename(part.path), sizeBytes: await sizeOf(part.path), weights: null, threshold: null };
  const manifest = await manifestOf(part);
  const sizeBytes = filesOf(manifest).reduce((sum, file) => sum + file.sizeBytes, 0);
  const installed = part.path.endsWith('.onnx') ? null : await installedThresholds(part.path);
  const field: 'unsafeClipScore' | 'safeReward' = part.kind === 'clip' ? 'unsafeClipScore' : 'safeReward';
  const own = 'unsafeClipScore' in manifest ? manifest.unsafeClipScore : manifest.safeReward;
  const placed = installed?.file.clip?.unsafeClipScore ?? installed?.file.rewardModel?.safeReward;
  const measured = installed?.file.clip?.calibratedOn ?? installed?.file.rewardModel?.calibratedOn ?? null;
  const isMeasured = own !== null && manifest.calibration !== null;
  const threshold =
    placed === undefined
      ? { field, value: own, source: own === null ? 'none' : 'manifest', calibratedOn: isMeasured ? BOTH : null }
      : { field, value: placed, source: 'thresholds.json', calibratedOn: measured };
  return { ...part, name: manifest.name, sizeBytes, weights: manifest.precision?.weights ?? null, threshold };
}

/** @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function manifestOf({ kind, path }: Part): Promise<ClipManifest | RewardManifest> {
  return kind === 'clip' ? (await readClip(path)).manifest : await readManifest(path, rewardManifestSchema);
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

/** For a person: from where the command was called, or whole where that is shorter. */
export function shown(path: string): string {
  const from = relative(process.cwd(), path) || '.';
  return visibleName(from.length < path.length ? from : path);
}
