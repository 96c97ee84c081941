/** What the Tab key completes: commands, methods, and paths of files. */
import { readdir } from 'node:fs/promises';
import { METHODS } from '../../policy/methods.js';
import { visibleName } from '../../visible.js';
import { COMMAND_NAMES } from './commands.js';
import { atHome, escaped, wordsOf } from './words.js';

/** @returns all that the end of the line may become, and that end as it was typed */
export async function complete(line: string): Promise<[hits: string[], part: string]> {
  if (/^\/[\p{L}-]*$/u.test(line)) return [startingWith(line, COMMAND_NAMES).map((name) => `${name} `), line];
  const [, command = '', operand = line] = /^\/([\p{L}-]+)\s+(.*)$/su.exec(line) ?? [];
  if (command === 'method') return [startingWith(operand, METHODS), operand];
  const takesPath = command === 'image' || command === 'save' || (command === '' && /^(?:\.\.?|~)?\//.test(line));
  return takesPath ? await completePath(operand) : [[], line];
}

/** The last path of a line. */
async function completePath(line: string): Promise<[string[], string]> {
  const part = /(?:\\.|[^\s\\])*$/s.exec(line)?.[0] ?? '';
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const [path = ''] = wordsOf(folder) ?? [];
  const entries = await readdir(path === '' ? '.' : atHome(path), { withFileTypes: true }).catch(() => []);
  const plain = entries.filter(({ name }) => visibleName(name) === name); // what is drawn as it is
  const names = plain.map((entry) => `${folder}${escaped(entry.name)}${entry.isDirectory() ? '/' : ''}`);
  return [startingWith(part, names), part];
}

function startingWith(start: string, names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(start)).sort();
}
