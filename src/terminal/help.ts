/** Help that fits the terminal: commander's own, and the texts below it. */
import type { Command, Help, HelpConfiguration, OutputConfiguration } from 'commander';
import { fitLine } from './fit.js';
import { write } from './output.js';
import { columnsOf, USUAL_COLUMNS, wrap } from './paint.js';
import { widthOf } from './width.js';

/** Columns of a description beside its term; with fewer it stands below. */
const LEAST_ROOM = 32;
const USAGE = 'Usage: ';
const INDENT = '  ';
const BELOW = ' '.repeat(6);

/** Descriptions stand beside their terms, or below them where columns are few. */
export const HELP_FORM: HelpConfiguration = {
  minWidthToWrap: 1,
  styleUsage(this: Help, usage: string): string {
    return wrap(usage, (this.helpWidth ?? USUAL_COLUMNS) - USAGE.length).join(`\n${' '.repeat(USAGE.length)}`);
  },
  formatItem(this: Help, term: string, termWidth: number, description: string): string {
    const width = this.helpWidth ?? USUAL_COLUMNS;
    const beside = INDENT.length + termWidth + 2;
    if (description === '') return `${INDENT}${term}`;
    if (width - beside < LEAST_ROOM)
      return [`${INDENT}${term}`, ...wrap(description, width - BELOW.length).map((line) => BELOW + line)].join('\n');
    const [first = '', ...others] = wrap(description, width - beside);
    const start = `${INDENT}${term}${' '.repeat(termWidth - widthOf(term) + 2)}`;
    return [`${start}${first}`, ...others.map((line) => ' '.repeat(beside) + line)].join('\n');
  },
};

/** People read help, through a pager too: it is broken everywhere, the only text that is. */
function helpColumns(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? columnsOf(stream) : USUAL_COLUMNS;
}

/** The width of each stream; refusals are told by failure.ts. */
export const HELP_OUTPUT: OutputConfiguration = {
  getOutHelpWidth: () => helpColumns(process.stdout),
  getErrHelpWidth: () => helpColumns(process.stderr),
  writeOut: (text) => write(process.stdout, text),
  writeErr: (text) => write(process.stderr, text),
  outputError: () => undefined,
};

/** Puts a text below a command's help, broken as {@link helpText} does. */
export function addTextAfter(command: Command, text: string): Command {
  return command.addHelpText(
    'after',
    ({ error }) => `\n${helpText(text, helpColumns(error ? process.stderr : process.stdout))}`,
  );
}

/**
 * Paragraphs are filled; indented lines stay lines, and one that is too long goes on below its last column. A command goes
 * on behind a backslash, so that it can still be copied.
 */
export function helpText(text: string, columns: number): string {
  return text
    .trim()
    .split('\n\n')
    .map((paragraph) => paragraphLines(paragraph.split('\n'), columns).join('\n'))
    .join('\n\n');
}

function paragraphLines(lines: readonly string[], columns: number): string[] {
  const found: string[] = [];
  let prose: string[] = [];
  const endProse = () => {
    if (prose.length > 0) found.push(...wrap(prose.join(' '), columns));
    prose = [];
  };
  for (const line of lines) {
    const isHeading = line.endsWith(':') && prose.length === 0;
    if (!line.startsWith(' ') && !isHeading) {
      prose.push(line);
      continue;
    }
    endProse();
    if (isHeading) found.push(...wrap(line, columns));
    else found.push(...(isCommand(line) ? commandLines(line, columns) : fitLine(line, columns)));
  }
  endProse();
  return found;
}

const isCommand = (line: string) => /^ +(?:echo .*\| )?eta-vlm (?!.* {2})/.test(line);

/** A command over several lines, as a shell reads it. */
function commandLines(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const lines: string[] = [];
  let current = '';
  const pairs = line.match(/--[\w-]+ (?!-)\S+|"[^"]*"|\S+/g) ?? [];
  const room = columns - 2 * INDENT.length - 2;
  for (const word of pairs.flatMap((pair) => (widthOf(pair) > room ? pair.split(' ') : pair))) {
    const longer = current === '' ? `${INDENT}${word}` : `${current} ${word}`;
    if (widthOf(longer) + 2 > columns && current !== '') {
      lines.push(`${current} \\`);
      current = `${INDENT}${INDENT}${word}`;
    } else current = longer;
  }
  return [...lines, current];
}
