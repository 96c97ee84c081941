/** `eta-vlm completion`: the script of a shell, made of the program's own commands. */
import type { Command } from 'commander';
import { ANSWERS_FORMATS } from '../../batch/formats.js';
import { DATASETS } from '../../benchmark/registry.js';
import { decisionForms } from '../../decision/index.js';
import { CHANGE_NAMES } from '../../experiment/chosen-changes.js';
import { EXPERIMENT_NAMES } from '../../experiment/names.js';
import { publishedSets, registeredModels } from '../../models/index.js';
import { METHODS, RUNGS } from '../../policy/methods.js';
import { print } from '../../terminal/print.js';
import { bashScript } from './bash.js';
import { type Names, shapesOf } from './shape.js';
import { zshScript } from './zsh.js';

export async function completion(program: Command, shell: 'bash' | 'zsh'): Promise<void> {
  const shapes = shapesOf(program, await names());
  print(shell === 'bash' ? bashScript(shapes) : zshScript(shapes));
}

/** What is known by name, by the placeholder that stands for it. */
async function names(): Promise<Names> {
  return {
    models: [...(await registeredModels()), ...(await publishedSets())].map(({ name }) => name),
    form: await decisionForms(),
    benchmark: DATASETS.map(({ name }) => name),
    experiment: [...EXPERIMENT_NAMES],
    methods: [...METHODS],
    formats: ANSWERS_FORMATS,
    rungs: RUNGS,
    changes: CHANGE_NAMES,
  };
}
