/** Which command was called: what is said when it fails names its help and its flags. */
import type { Command } from 'commander';
import type { CalledCommand } from '../terminal/failure.js';

/** Follows a program from subcommand to subcommand. The program itself where none was named. */
export function follow(program: Command): () => CalledCommand {
  let called = program;
  for (const command of withParts(program)) {
    command.hook('preSubcommand', (_, part) => {
      called = part;
    });
  }
  return () => ({ name: nameOf(called), flags: new Set(called.options.map(({ long }) => long ?? '')) });
}

/** "eta-vlm batch merge". */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** The command and all below it. */
export function withParts(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withParts)];
}
