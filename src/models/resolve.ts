/** From what a caller names to files that exist. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { didYouMean } from '../near-miss.js';
import { describePath, parseOptions } from '../options.js';
import { FOLDER_LAYOUT, type ModelFiles, registeredModels } from './registry.js';

const path = z.string('expected a path').min(1, 'expected a path');

const pathsSchema = z.strictObject({
  languageModel: path,
  projector: path.optional(),
  clip: path.optional(),
  rewardModel: path.optional(),
});

/** The files of each model, one by one; a path that is no absolute one starts from the working directory. */
export interface ModelPaths {
  /** GGUF of the language model. */
  languageModel: string;
  /** GGUF of the projector (mmproj). @default none: the model takes text alone */
  projector?: string | undefined;
  /** Folder of the CLIP model, with its manifest.json. @default none: no method that looks at pictures */
  clip?: string | undefined;
  /** Folder of the reward model, with its manifest.json. @default none: method `vanilla` alone */
  rewardModel?: string | undefined;
}

/** What {@link resolveModels} takes: a name of the registry, a folder laid out as models/miniature is, or paths. */
export type ModelChoice = string | ModelPaths;

/** Files that exist, as absolute paths; null for what the choice does not have. */
export interface ResolvedModels {
  /** As the registry calls them; else the name of the folder, or of the language model's file. */
  readonly name: string;
  /** GGUF of the language model. */
  readonly languageModel: string;
  /** GGUF of the projector. */
  readonly projector: string | null;
  /** Folder of the CLIP model. */
  readonly clip: string | null;
  /** Folder of the reward model. */
  readonly rewardModel: string | null;
}

/**
 * Absolute paths of the files, checked to exist; what is in them is for the loaders to check.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND with the known names and the nearest one, or with the file that is missing;
 * UsageError for an object that is not {@link ModelPaths}
 */
export async function resolveModels(choice: ModelChoice): Promise<ResolvedModels> {
  if (typeof choice !== 'string') {
    const paths = parseOptions(pathsSchema, choice, 'models');
    const files = { projector: null, clip: null, rewardModel: null, ...paths };
    return await check(basename(paths.languageModel), '.', files, (name) => `models.${name}`);
  }
  const registered = await registeredModels();
  const known = registered.find(({ name }) => name === choice);
  if (known !== undefined) return await check(known.name, known.folder, known);
  if (choice !== '' && (await kindOf(choice)) === 'folder') {
    const folder = resolve(choice);
    return await check(basename(folder), folder, await presentFiles(folder));
  }
  const names = registered.map(({ name }) => name);
  const hint = didYouMean(choice, names, 'Check the name or the path.');
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected a known name (${names.join(', ')}) or a folder, received ${describePath(choice)}, ` +
      `which is neither. ${hint} Paths of single files go into models.languageModel and its neighbours.`,
  );
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
  const clip = await find('clip', 'folder', 'the folder of the CLIP model');
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
