/** Options of `eta-vlm completion`. */
import { Argument, type Command } from 'commander';
import { addTextAfter } from '../../terminal/help.js';
import { among } from '../../terminal/option-values.js';
import { child } from '../child.js';

const AFTER_HELP = `
For this shell and all to come:
  eta-vlm completion bash > ~/.local/share/bash-completion/completions/eta-vlm
  eta-vlm completion zsh > ~/.zfunc/_eta-vlm

zsh looks there when its folder is in fpath before compinit is called. Either
script may be sourced instead.`;

const SHELLS = ['bash', 'zsh'] as const;

export function addCompletion(program: Command): void {
  const command = child(program, 'completion', 'Print a script that completes commands in a shell.').addArgument(
    among(new Argument('<shell>', 'which'), SHELLS),
  );
  addTextAfter(command, AFTER_HELP).action(async (shell: (typeof SHELLS)[number]) => {
    const { completion } = await import('./completion.js');
    await completion(program, shell);
  });
}
