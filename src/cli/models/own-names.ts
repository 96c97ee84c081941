/** `eta-vlm models add` and `use`: names for models, in the user's own file. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ModelError, UsageError } from '../../errors.js';
import { isHubAddress } from '../../hub/index.js';
import { clipPlace, type ModelPaths, publishedSets, registeredModels, resolveModels } from '../../models/index.js';
import { describePath } from '../../options.js';
import { EXIT } from '../../terminal/failure.js';
import { print } from '../../terminal/print.js';
import { choiceOf } from '../chosen-models.js';
import { changeConfig, configPath, isFreeName, readConfig } from '../config/config-file.js';

const DEFAULT = 'miniature';

/** A folder laid out as the miniature's, or single files and folders, each told by what it is. @throws UsageError, ModelError */
export async function addModelSet(name: string, paths: readonly string[]): Promise<number> {
  await checkName(name);
  const places = paths.map((path) => (isHubAddress(path) ? path : resolve(path)));
  const [only = ''] = places;
  const isWhole = places.length === 1 && (await isSetFolder(only));
  const choice = isWhole ? only : await partsOf(places);
  await resolveModels(choice);
  await changeConfig((config) => ({ ...config, added: { ...config.added, [name]: choice } }));
  print(`${name} is known from now on: eta-vlm ask --models ${name}\n`);
  return EXIT.ok;
}

async function checkName(name: string): Promise<void> {
  if (isFreeName(name)) return;
  const taken = [...(await registeredModels()), ...(await publishedSets())].map((set) => set.name);
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected a name of letters, digits, dots and hyphens that is not taken (${taken.join(', ')}), received ${JSON.stringify(name)}. Name it otherwise.`,
  );
}

async function isSetFolder(place: string): Promise<boolean> {
  return await stat(join(place, 'language-model.gguf')).then(
    () => true,
    () => false,
  );
}

async function partsOf(places: readonly string[]): Promise<ModelPaths> {
  const parts: Partial<ModelPaths> = {};
  for (const place of places) {
    const part = await partOf(place);
    if (parts[part] !== undefined)
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `Expected one file for each part, received two for the ${part}: ${describePath(parts[part])} and ${describePath(place)}. Name one.`,
      );
    parts[part] = place;
  }
  const { languageModel, ...others } = parts;
  if (languageModel !== undefined) return { languageModel, ...others };
  throw new UsageError(
    'ERR_INVALID_OPTION',
    'Expected the GGUF of a language model among the paths, received none. Name it too.',
  );
}

/** Told by names and manifests. @throws ModelError ERR_MODEL_NOT_FOUND */
async function partOf(place: string): Promise<keyof ModelPaths> {
  if (isHubAddress(place)) return /clip/i.test(place) ? 'clip' : 'languageModel';
  if (/\.gguf$/i.test(place)) return /mmproj|projector/i.test(basename(place)) ? 'projector' : 'languageModel';
  if ((await clipPlace(place)).endsWith('.onnx')) return 'clip';
  const manifest = await readFile(join(place, 'manifest.json'), 'utf8').catch((cause: unknown) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a GGUF, or the folder of a CLIP or of a reward model, received ${describePath(place)}, which is none. Check the path.`,
      { cause },
    );
  });
  return manifest.includes('"eta-vlm/clip"') ? 'clip' : 'rewardModel';
}

/** From now on the command line takes these where nothing else is said. @throws ModelError, UsageError */
export async function useModels(name: string): Promise<number> {
  if (name === DEFAULT) {
    await changeConfig(({ models: _chosen, ...config }) => config);
    print(`${DEFAULT} is used again, as nothing else is said in ${configPath()}.\n`);
    return EXIT.ok;
  }
  const place = (await isKnown(name)) ? name : resolve(name);
  await resolveModels(choiceOf(place));
  await changeConfig((config) => ({ ...config, models: place }));
  print(`${place} is used from now on where nothing else is said: ${configPath()}\n`);
  return EXIT.ok;
}

async function isKnown(name: string): Promise<boolean> {
  if (isHubAddress(name) || Object.hasOwn(readConfig().added, name)) return true;
  return [...(await registeredModels()), ...(await publishedSets())].some((set) => set.name === name);
}
