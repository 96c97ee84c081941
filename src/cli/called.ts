/** Which command was called: what is said when it fails names its help and its flags. */
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { didYouMean } from '../near-miss.js';
import type { CalledCommand } from '../terminal/failure.js';

/** Follows a program from subcommand to subcommand. The program itself where none was named. */
export function follow(program: Command): () => CalledCommand {
  let called = program;
  for (const command of withParts(program)) {
    command.hook('preSubcommand', (_, part) => {
      called = part;
    });
  }
  return () => calledCommand(called);
}

/** What is said of a command when it, or a part of its work, fails. */
export function calledCommand(command: Command): CalledCommand {
  return {
    name: nameOf(command),
    flags: new Set(command.options.map(({ long }) => long ?? '')),
    said: saidOf(process.argv.slice(2)),
    excessAdvice: excessAdviceOf(command),
  };
}

/** Words that are no names: paths among them come back whole, or as the folder that holds them. */
function saidOf(words: readonly string[]): string[] {
  const values = words.map((word) => word.replace(/^--?[\w-]+=/, '')).filter((word) => /[^\w-]/.test(word));
  return values
    .flatMap((word) => [word, resolve(word), dirname(resolve(word)), dirname(word)])
    .filter((word) => word.length > 2);
}

/** What to do where more was written than the command takes: a part of it was misspelled, or a text stands without quotes. */
function excessAdviceOf({ args: [word = ''], commands, registeredArguments }: Command): string {
  const parts = commands.map((part) => part.name());
  const isTextTaken = registeredArguments.some((argument) => argument.name() === 'question');
  return didYouMean(word, parts, isTextTaken ? 'Put the question in quotes.' : '');
}

/** "eta-vlm batch merge". */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** The command and all below it. */
export function withParts(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withParts)];
}
