/** The commands of a program as completion sees them: parts, flags, and what may stand behind each. */
import type { Argument, Command, Option } from 'commander';
import { withParts } from '../called.js';

/** What completes a value. */
export interface Values {
  /** `names` are words or files, `list` words by comma. */
  readonly kind: 'files' | 'folders' | 'words' | 'names' | 'list' | 'free';
  readonly words: readonly string[];
  /** Whether several may follow. */
  readonly isMany: boolean;
}

export interface FlagShape {
  /** "-h", "--help". */
  readonly names: readonly string[];
  readonly description: string;
  /** Null for a flag without a value. */
  readonly values: Values | null;
}

export interface CommandShape {
  /** Below the program, such as "batch merge"; "" for the program. */
  readonly name: string;
  readonly parts: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly FlagShape[];
  readonly operands: readonly Values[];
}

/** Names by the placeholder that stands for them in help. */
export type Names = Readonly<
  Record<
    'models' | 'form' | 'benchmark' | 'experiment' | 'methods' | 'changes' | 'formats' | 'rungs',
    readonly string[]
  >
>;

/** Placeholders for what the file system holds; what has none here and no names only the user knows. */
const FILES = ['file', 'files', 'path', 'requests', 'model', 'gguf,mmproj'];
export function shapesOf(program: Command, names: Names): CommandShape[] {
  const shapes = withParts(program).map((command) => shapeOf(command, names));
  const words = shapes[0]?.parts.map(({ name }) => name).filter((name) => name !== 'help') ?? [];
  const operands = [{ kind: 'words' as const, words, isMany: false }];
  return [...shapes, { name: 'help', parts: [], flags: [], operands }];
}

function shapeOf(command: Command, names: Names): CommandShape {
  const help = command.createHelp();
  return {
    name: pathOf(command),
    parts: help.visibleCommands(command).map((part) => ({ name: part.name(), description: part.description() })),
    flags: help.visibleOptions(command).map((option) => flagOf(option, names)),
    operands: command.registeredArguments.map((argument) => operandOf(argument, names)),
  };
}

function pathOf(command: Command): string {
  if (command.parent === null) return '';
  return `${pathOf(command.parent)} ${command.name()}`.trim();
}

function flagOf(option: Option, names: Names): FlagShape {
  const { short, long, description, required, optional, variadic, argChoices = [] } = option;
  const placeholder = /[<[]([^.>\]]+)/.exec(option.flags)?.[1] ?? '';
  return {
    names: [long, short].filter((name) => name !== undefined && name !== null),
    description,
    values: required || optional ? valuesOf(placeholder, { choices: argChoices, isMany: variadic }, names) : null,
  };
}

function operandOf(argument: Argument, names: Names): Values {
  const { argChoices = [], variadic } = argument;
  return valuesOf(argument.name(), { choices: argChoices, isMany: variadic }, names);
}

function valuesOf(
  placeholder: string,
  { choices, isMany }: { readonly choices: readonly string[]; readonly isMany: boolean },
  names: Names,
): Values {
  if (choices.length > 0) return { kind: 'words', words: choices, isMany };
  if (FILES.includes(placeholder)) return { kind: 'files', words: [], isMany };
  if (placeholder === 'folder') return { kind: 'folders', words: [], isMany };
  const known = Object.entries(names).find(([name]) => name === placeholder)?.[1] ?? [];
  const words = known.filter((name) => !/\s/.test(name)); // a shell would take it for two
  if (words.length === 0) return { kind: 'free', words, isMany };
  const orFiles = ['models', 'form'].includes(placeholder);
  const kind = orFiles ? 'names' : ['methods', 'changes', 'formats', 'rungs'].includes(placeholder) ? 'list' : 'words';
  return { kind, words, isMany };
}
