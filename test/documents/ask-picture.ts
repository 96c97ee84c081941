/**
 * The picture of a terminal in the README: its command is run in one, and what that prints is drawn, line by line, with its
 * colours. It needs `script` of util-linux. The time in the last line differs from run to run:
 *
 *     npm run build && node --import tsx test/documents/ask-picture.ts
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COLOURS, type Scheme } from '../../src/report/palette.js';
import { escapeHtml } from '../../src/report/texts.js';
import { commandsOf, wordsOfOurs } from './commands.js';
import { root } from './pages.js';

const COLUMNS = 84;
/** Pixels, of a letter in a font that every system replaces by its own: each piece of text is given its width. */
const LETTER_WIDTH = 8.4;
const LINE_HEIGHT = 21;
const MARGIN = 16;

/** What a terminal calls dim, red and green, readable on the ground of either scheme. */
const PAINTS: Readonly<Record<Scheme, Readonly<Record<string, string | undefined>>>> = {
  light: { ink: COLOURS['ink']?.light, dim: COLOURS['quiet']?.light, red: '#b3261e', green: '#1a6b34' },
  dark: { ink: COLOURS['ink']?.dark, dim: COLOURS['quiet']?.dark, red: '#ff8f85', green: '#7ed492' },
};
const CODES: Readonly<Record<string, string>> = { '2': 'dim', '31': 'red', '32': 'green', '22': 'ink', '39': 'ink' };

/** What stands on the screen once the command has ended: a carriage return begins a line anew. */
function printed(words: readonly string[]): string[] {
  const command = ['node', 'dist/cli/main.js', ...words].map((word) => `'${word}'`).join(' ');
  const home = mkdtempSync(join(tmpdir(), 'eta-vlm-home-')); // of somebody who has chosen nothing yet
  const env = { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', HOME: home };
  const line = `stty cols ${COLUMNS} rows 40; exec ${command}`;
  const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { cwd: root, encoding: 'utf8', env });
  rmSync(home, { recursive: true });
  assert.equal(status, 0, stdout);
  const lines = stdout.split('\n').map((line) => line.replace(/\r+$/, ''));
  return lines.map((line) => line.slice(line.lastIndexOf('\r') + 1)).slice(0, lines.at(-1) === '' ? -1 : undefined);
}

/** A line as pieces of one colour, without the blanks between them. */
function drawnLine(line: string, y: number): string {
  let paint = 'ink';
  let column = 0;
  let drawn = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  for (const [, code, blanks, text] of line.matchAll(/\x1b\[(\d+)m|( {2,}|^ )|((?:(?! {2})[^\x1b])+)/g)) {
    if (code !== undefined) paint = CODES[code] ?? 'ink';
    const shown = text?.trimStart() ?? '';
    const x = MARGIN + (column + (text?.length ?? 0) - shown.length) * LETTER_WIDTH;
    const width = (shown.length * LETTER_WIDTH).toFixed(1);
    if (shown !== '')
      drawn += `<text class="${paint}" x="${x.toFixed(1)}" y="${y}" textLength="${width}">${escapeHtml(shown)}</text>\n`;
    column += (blanks ?? text ?? '').length;
  }
  return drawn;
}

const rules = (scheme: Scheme) =>
  `.ground{fill:${COLOURS['panel']?.[scheme]};stroke:${COLOURS['rule']?.[scheme]}}` +
  Object.entries(PAINTS[scheme])
    .map(([name, value]) => `.${name}{fill:${value}}`)
    .join('');

function drawing(lines: readonly string[]): string {
  const width = Math.ceil(COLUMNS * LETTER_WIDTH) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const texts = lines.map((line, at) => drawnLine(line, MARGIN + 15 + at * LINE_HEIGHT));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What the command prints">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}${rules('light')}@media(prefers-color-scheme:dark){${rules('dark')}}</style>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${texts.join('')}</svg>
`;
}

const [words] = commandsOf('README.md').flatMap((told) => {
  const own = wordsOfOurs(told);
  return own?.[0] === 'ask' && own.includes('--seed') ? [own] : [];
});
assert.ok(words !== undefined, 'the README asks with a seed');
writeFileSync(join(root, 'docs/images/ask.svg'), drawing(printed(words)));
