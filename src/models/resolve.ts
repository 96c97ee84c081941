/** From what a caller names to files that exist. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { hubSettings, isHubAddress } from '../hub/index.js';
import { didYouMean } from '../near-miss.js';
import { describePath, parseOptions } from '../options.js';
import type { ModelChoice, ModelPaths, PublishedGuard, ResolvedModels } from './choice.js';
import { clipPlace } from './clip-place.js';
import { type ModelPlan, partPath, planHere, publishedIn } from './plan.js';
import type { Role } from './published.js';
import { FOLDER_LAYOUT, type ModelFiles, publishedSets, registeredModels } from './registry.js';

const path = z.string('expected a path').min(1, 'expected a path');

const pathsSchema = z.strictObject({
  languageModel: path,
  projector: path.optional(),
  clip: path.optional(),
  rewardModel: path.optional(),
});

/** What {@link resolveModels} looks in. */
export interface ResolveOptions {
  /** The hub's cache. @default what the environment says */
  readonly modelsFolder?: string | undefined;
}

/**
 * Absolute paths of the files, checked to exist; what is in them is for the loaders to check.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND with the known names and the nearest one, or with the file that is missing;
 * UsageError for an object that is not {@link ModelPaths}
 */
export async function resolveModels(choice: ModelChoice, options: ResolveOptions = {}): Promise<ResolvedModels> {
  if (typeof choice !== 'string') return await resolveParts(parseOptions(pathsSchema, choice, 'models'), options);
  const registered = await registeredModels();
  const known = registered.find(({ name }) => name === choice);
  if (known !== undefined) return await check(known.name, known.folder, known);
  const [published] = await publishedIn(choice);
  if (published !== undefined) {
    const { folder } = hubSettings(options.modelsFolder);
    return resolvedPlan(await planHere(published, folder), folder);
  }
  if (choice !== '' && (await kindOf(choice)) === 'folder') {
    const folder = resolve(choice);
    return await check(basename(folder), folder, await presentFiles(folder));
  }
  const names = [...registered, ...(await publishedSets())].map(({ name }) => name);
  const hint = didYouMean(choice, names, 'Check the name or the path.');
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected a known name (${names.join(', ')}), an address of a hub (hf:owner/name) or a folder, received ${describePath(choice)}, ` +
      `which is none of these. ${hint} Paths of single files go into models.languageModel and its neighbours.`,
  );
}

/** A name or an address in place of the language model's file: what others hold its other parts. Null for a path. */
async function baseOf(languageModel: string, options: ResolveOptions): Promise<ResolvedModels | null> {
  const isNamed = [...(await registeredModels()), ...(await publishedSets())].some(
    ({ name }) => name === languageModel,
  );
  if (!isHubAddress(languageModel) && (!isNamed || (await kindOf(languageModel)) === 'file')) return null;
  return await resolveModels(languageModel, options);
}

/** What is named part by part goes before what the name of the whole has. */
async function resolveParts(paths: ModelPaths, options: ResolveOptions): Promise<ResolvedModels> {
  const base = await baseOf(paths.languageModel, options);
  const named = { ...paths, ...(await addressedParts(paths, options)) };
  const none = { projector: null, clip: null, rewardModel: null };
  const files = { ...none, ...base, ...named, languageModel: base?.languageModel ?? paths.languageModel };
  const found = await check(base?.name ?? basename(paths.languageModel), '.', files, (field) => `models.${field}`);
  if (base?.published === undefined) return found;
  const { unsafeClipScore, guard } = base.published;
  return {
    ...found,
    published: {
      unsafeClipScore: paths.clip === undefined ? unsafeClipScore : null,
      guard: paths.rewardModel === undefined ? guard : null,
    },
  };
}

/** Paths in place of the addresses of single parts. */
async function addressedParts(paths: ModelPaths, { modelsFolder }: ResolveOptions): Promise<Partial<ModelPaths>> {
  const { folder } = hubSettings(modelsFolder);
  const found: Partial<ModelPaths> = {};
  for (const field of ['projector', 'clip'] as const) {
    const address = paths[field];
    if (address === undefined || !isHubAddress(address)) continue;
    const { parts } = await planHere(address, folder);
    const part = parts.find(({ role }) => role === field);
    if (part === undefined)
      throw new ModelError(
        'ERR_MODEL_NOT_FOUND',
        `models.${field}: expected ${NAMES[field]} at ${address}, found ${parts.map(({ files }) => files[0]?.path).join(', ')}. Name another address.`,
      );
    found[field] = partPath(part, folder);
  }
  return found;
}

const NAMES = { projector: 'a projector', clip: 'a CLIP' } as const;

/** Of files that are here. @throws ModelError ERR_MODEL_NOT_FOUND for an address that has no language model */
export function resolvedPlan(plan: ModelPlan, folder: string): ResolvedModels {
  const pathOf = (role: Role) => {
    const part = plan.parts.find((one) => one.role === role);
    return part === undefined ? null : partPath(part, folder);
  };
  const languageModel = pathOf('languageModel');
  if (languageModel === null)
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `models: expected a language model at ${plan.name}, found ${pathOf('clip') === null ? 'a projector' : 'a CLIP'} alone. Name it as a part: ${describePath(pathOf('clip') ?? pathOf('projector') ?? '')}.`,
    );
  const threshold = plan.parts.find(({ role }) => role === 'clip')?.threshold ?? null;
  return {
    name: plan.name,
    languageModel,
    projector: pathOf('projector'),
    clip: pathOf('clip'),
    rewardModel: null,
    published: {
      unsafeClipScore: threshold,
      guard: guardOf(plan, pathOf('guardProjector'), folder),
    },
  };
}

function guardOf(plan: ModelPlan, guardProjector: string | null, folder: string): PublishedGuard | null {
  const part = plan.parts.find(({ role }) => role === 'guard');
  if (part?.form == null) return null;
  const guard = { form: part.form, guard: partPath(part, folder) };
  return guardProjector === null ? guard : { ...guard, guardProjector };
}

/** A folder must hold a language model; the other files it may lack. */
async function presentFiles(folder: string): Promise<ModelFiles> {
  const present = async (name: string | null) =>
    name !== null && (await kindOf(join(folder, name))) !== null ? name : null;
  return {
    languageModel: FOLDER_LAYOUT.languageModel,
    projector: await present(FOLDER_LAYOUT.projector),
    clip: await present(FOLDER_LAYOUT.clip),
    rewardModel: await present(FOLDER_LAYOUT.rewardModel),
  };
}

/** @param optionOf what the message calls the option that names a file */
async function check(
  name: string,
  folder: string,
  files: ModelFiles,
  optionOf: (field: keyof ModelFiles) => string = () => 'models',
): Promise<ResolvedModels> {
  const find = async (field: keyof ModelFiles, kind: 'file' | 'folder', what: string): Promise<string | null> => {
    const file = files[field];
    if (file === null) return null;
    const found = resolve(folder, file);
    const received = await kindOf(found);
    if (received === kind) return found;
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `${optionOf(field)}: expected ${what} at ${describePath(found)}, received ${received === null ? 'nothing there' : `a ${received}`}. ` +
        'Check the path, or fetch the model again.',
    );
  };
  const isGraph = files.clip?.endsWith('.onnx') === true;
  const eye = await find(
    'clip',
    isGraph ? 'file' : 'folder',
    `the ${isGraph ? 'vision graph' : 'folder'} of the CLIP model`,
  );
  const clip = eye === null ? null : await clipPlace(eye);
  const rewardModel = await find('rewardModel', 'folder', 'the folder of the reward model');
  const languageModel = (await find('languageModel', 'file', 'the GGUF of the language model')) as string;
  const projector = await find('projector', 'file', 'the GGUF of the projector');
  return { name, languageModel, projector, clip, rewardModel };
}

async function kindOf(place: string): Promise<'file' | 'folder' | null> {
  return await stat(place).then(
    (found) => (found.isDirectory() ? 'folder' : 'file'),
    () => null,
  );
}
