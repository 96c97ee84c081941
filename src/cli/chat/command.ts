/** Options of `eta-vlm chat`. */
import type { Command } from 'commander';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { collected, collectedTexts, filled, wholeNumber } from '../../terminal/option-values.js';
import { calledCommand } from '../called.js';
import { child } from '../child.js';
import { addModelOptions } from '../model-options.js';
import { addPolicyOptions } from '../policy-options.js';

const AFTER_HELP = `
A line is a question. Drag a picture's file here, or write /image photo.jpg,
and it goes with the next one. /help lists the commands, /why draws how the
last answer came about. Ctrl-C stops an answer, Ctrl-D ends the chat.

Through a pipe each line is one request; answers go to stdout, all else to
stderr. Exit code 3: some lines failed.
  echo "What is this?" | eta-vlm chat --image photo.jpg`;

export function addChat(program: Command): void {
  const command = child(program, 'chat', 'Talk about pictures: many questions, the models loaded once.')
    .option('--image <file>', 'a picture for the first question; may be given several times', collected)
    .option('--history <file>', 'keep the typed lines in this file, for the arrow keys of the next chat', filled)
    .option('--seed <seed>', 'same seed, same answers', wholeNumber(0, 0xffffffff))
    .option('--stop <text>', 'end answers before this text; may be given several times', collectedTexts)
    .optionsGroup('Safety and search:');
  addTextAfter(addModelOptions(addPolicyOptions(command).optionsGroup('Models:')), AFTER_HELP).action(
    async (options: import('./chat.js').ChatOptions) => {
      await withInterrupt(async (signal, interrupts) => {
        const { chat } = await import('./chat.js');
        process.exitCode = await chat(options, { signal, interrupts, called: calledCommand(command) });
      });
    },
  );
}
