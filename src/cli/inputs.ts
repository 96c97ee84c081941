/** What a command reads besides its pictures: files that none of its outputs may be. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ReadItems } from '../benchmark/index.js';
import { EtaError } from '../errors.js';
import { FOLDER_LAYOUT, type ModelChoice, resolveModels } from '../models/index.js';
import type { Input } from '../outputs/index.js';
import type { JudgeFlags } from './judges.js';
import { loadOptions } from './load-options.js';
import type { ModelFlags } from './model-options.js';

const REGISTRY = fileURLToPath(new URL('../../models/registry.json', import.meta.url));

/** The models, whole folders of evaluators among them, and the file of thresholds. */
export async function modelInputs(flags: ModelFlags): Promise<Input[]> {
  const { models = 'miniature', thresholdsFile, decision, safetyVector } = loadOptions(flags);
  const guard = [decision?.guard, decision?.guardProjector].filter((path) => path !== undefined);
  return [
    { path: REGISTRY, name: 'the list of models' },
    ...(await filesOfModels(models)),
    ...guard.map((path) => ({ path, name: 'a file of the guard' })),
    ...(safetyVector === undefined ? [] : [{ path: safetyVector.path, name: 'the file of --safety-vector' }]),
    ...(thresholdsFile === undefined ? [] : [{ path: thresholdsFile, name: 'the file of --thresholds' }]),
  ];
}

/** What is missing or unknown, loading tells. */
async function filesOfModels(choice: ModelChoice): Promise<Input[]> {
  try {
    const { languageModel, projector, clip, rewardModel } = await resolveModels(choice);
    const files = [...partsOf(languageModel), projector];
    return [
      ...files.flatMap((path) => (path === null ? [] : [{ path, name: 'a file of the models' }])),
      ...[clip, rewardModel].flatMap((path) =>
        path === null ? [] : [{ path, name: `a ${path.endsWith('.onnx') ? 'file' : 'folder'} of the models` }],
      ),
      ...(typeof choice === 'string' ? Object.values(FOLDER_LAYOUT) : []).flatMap((file) =>
        file === null ? [] : [{ path: join(String(choice), file), name: 'a file of the models' }],
      ),
    ];
  } catch (error) {
    if (error instanceof EtaError) return [];
    throw error;
  }
}

/** The files of a local judge. */
export function judgeInputs({ judge, judgeModel, judgeProjector }: JudgeFlags): Input[] {
  if (judge !== 'local') return [];
  return [
    ...(judgeModel === undefined ? [] : [{ path: judgeModel, name: 'the judge (--judge-model)' }]),
    ...(judgeProjector === undefined
      ? []
      : [{ path: judgeProjector, name: "the judge's projector (--judge-projector)" }]),
  ];
}

/** What a data set was read from. Its folders may hold a folder for the report, but not the report. */
export function datasetInputs({ paths }: ReadItems): Input[] {
  return paths.map((path) => ({ path, name: 'the data set of --root', isOpenBelow: true }));
}

/** A GGUF, and the others of a model that is split (name-00001-of-00003.gguf). */
function partsOf(path: string): string[] {
  const [, before, count = '0', behind] = /^(.*-)\d{5}(?=-of-(\d{5})(\.gguf)$)/.exec(path) ?? [];
  const numbers = Array.from({ length: Number(count) }, (_, index) => String(index + 1).padStart(5, '0'));
  return [path, ...numbers.map((number) => `${before}${number}-of-${count}${behind}`)];
}
