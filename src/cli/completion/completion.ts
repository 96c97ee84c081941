/** `eta-vlm completion`: the script of a shell, made of the program's own commands. */
import type { Command } from 'commander';
import { DATASETS } from '../../benchmark/registry.js';
import { PICTURE_CHANGES } from '../../experiment/index.js';
import { registeredModels } from '../../models/index.js';
import { METHODS } from '../../policy/methods.js';
import { print } from '../../terminal/print.js';
import { EXPERIMENTS } from '../experiment/command.js';
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
    models: (await registeredModels()).map(({ name }) => name),
    benchmark: DATASETS.map(({ name }) => name),
    experiment: [...EXPERIMENTS],
    methods: [...METHODS],
    changes: [...PICTURE_CHANGES.map(({ name }) => name), 'search'],
  };
}
