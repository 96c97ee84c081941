/** What every subcommand shares. */
import type { Command } from 'commander';

/** A subcommand with the program's manners. */
export function child(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false);
}
