/** The names of models that the package knows, read from models/registry.json. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { type PublishedSet, publishedSetSchema } from './published.js';

/** From src and from dist alike, the models lie two folders up. */
const modelsFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'models');

/** The folder of the miniature's pictures, with their list, pictures.json. */
export const SHIPPED_PICTURES = join(modelsFolder, 'miniature', 'pictures');

const entrySchema = z.strictObject({
  description: z.string(),
  /** Where its files lie, from the folder of registry.json. */
  folder: z.string().min(1),
  languageModel: z.string().min(1),
  projector: z.string().min(1).nullable(),
  clip: z.string().min(1).nullable(),
  rewardModel: z.string().min(1).nullable(),
});

const registrySchema = z.strictObject({
  version: z.literal(1),
  models: z.record(z.string(), z.union([entrySchema, publishedSetSchema])),
});

/** Files of a set of models, from its folder. */
export type ModelFiles = Pick<z.output<typeof entrySchema>, 'languageModel' | 'projector' | 'clip' | 'rewardModel'>;

/** A set of models with a name; `folder` is absolute. */
export interface RegisteredModels extends ModelFiles {
  readonly name: string;
  readonly description: string;
  readonly folder: string;
}

/** File names of a folder that is given by its path. */
export const FOLDER_LAYOUT: ModelFiles = {
  languageModel: 'language-model.gguf',
  projector: 'projector.gguf',
  clip: 'clip',
  rewardModel: 'reward-model',
};

/** The sets that come with the package. @throws as {@link readRegistry} */
export async function registeredModels(): Promise<readonly RegisteredModels[]> {
  const entries = Object.entries(readRegistry());
  return entries.flatMap(([name, entry]) =>
    'published' in entry ? [] : [{ name, ...entry, folder: join(modelsFolder, entry.folder) }],
  );
}

/** The sets that others publish on a hub. @throws as {@link readRegistry} */
export async function publishedSets(): Promise<readonly PublishedSet[]> {
  const entries = Object.entries(readRegistry());
  return entries.flatMap(([name, entry]) => ('published' in entry ? [{ name, ...entry }] : []));
}

/** Whether a name is one of these, so that nobody can give it to other models. @throws as {@link readRegistry} */
export function isShippedName(name: string): boolean {
  return Object.hasOwn(readRegistry(), name);
}

/** @throws ModelError ERR_MODEL_INVALID when the registry of this installation is damaged */
function readRegistry(): z.output<typeof registrySchema>['models'] {
  const path = join(modelsFolder, 'registry.json');
  try {
    return registrySchema.parse(JSON.parse(readFileSync(path, 'utf8'))).models;
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `Expected the list of models in ${path}, but it cannot be read. Install eta-vlm again.`,
      { cause },
    );
  }
}
