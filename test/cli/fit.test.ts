import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { AnswerLine } from '../../src/batch/index.js';
import { summaryLines } from '../../src/cli/batch/summary.js';
import { BatchProgressLine, progressText } from '../../src/cli/batch-progress.js';
import { withParts } from '../../src/cli/called.js';
import { createProgram } from '../../src/cli/program.js';
import { roundLines } from '../../src/cli/round-table.js';
import { fitLine, fitText, fitted } from '../../src/terminal/fit.js';
import { HELP_FORM, helpText } from '../../src/terminal/help.js';
import { columnsOf, labelled, wrap } from '../../src/terminal/paint.js';
import { Progress } from '../../src/terminal/progress.js';
import { captioned, type TerminalTable, tableLines } from '../../src/terminal/table.js';
import { cutAt, widthOf } from '../../src/terminal/width.js';
import { WordWrap } from '../../src/terminal/word-wrap.js';
import type { RoundTrace } from '../../src/types/trace.js';
import { main } from './command.js';

const paint = (_style: string, text: string) => text;
const WIDTHS = Array.from({ length: 81 }, (_, at) => 40 + at);

function assertFit(lines: readonly string[], columns: number): void {
  assert.deepEqual(
    lines.filter((line) => widthOf(line) > columns),
    [],
    `expected lines of at most ${columns} columns`,
  );
}

test('width: colours take no column, letters of full width two, and nothing is cut in two', () => {
  assert.equal(widthOf('\x1b[31mred\x1b[39m'), 3);
  assert.equal(widthOf('猫と😀e\u0301'), 7);
  assert.deepEqual(cutAt('猫と犬', 3), ['猫', 'と犬']);
  assert.deepEqual(cutAt('\x1b[31mred\x1b[39m', 2), ['\x1b[31mre', 'd\x1b[39m']);
  assert.deepEqual(
    [cutAt('猫', 1), cutAt('ab', 0), cutAt('ab', 2)],
    [
      ['', '猫'],
      ['', 'ab'],
      ['ab', ''],
    ],
  );
  assert.deepEqual(wrap('猫と', 1), ['猫', 'と'], 'a letter that fits nowhere is not lost');
  assertFit(wrap('猫と犬のいる家 '.repeat(9), 11), 11);
});

test('long words are cut at their seams', () => {
  assert.deepEqual(wrap('models/miniature/language-model.gguf', 22), ['models/miniature/', 'language-model.gguf']);
  assert.deepEqual(wrap('a-bcdefghijkl', 8), ['a-bcdefg', 'hijkl'], 'a seam far in front is none');
});

test('a line goes on below its last column that leaves room, or below its indent', () => {
  assert.deepEqual(fitLine('answered    143  the own answer of the model stands', 40), [
    'answered    143  the own answer of the',
    '                 model stands',
  ]);
  assert.deepEqual(fitLine('    one two three four five six seven eight nine', 40), [
    '    one two three four five six seven',
    '    eight nine',
  ]);
  for (const columns of WIDTHS) {
    const text = `  name        ${'word '.repeat(40)}\n${'x'.repeat(300)}\n\n${' '.repeat(60)}deep ${'word '.repeat(20)}`;
    assertFit(fitText(text, columns).split('\n'), columns);
    assert.equal(fitText(text, columns).replace(/\s/g, ''), text.replace(/\s/g, ''), 'nothing is lost');
  }
  assert.equal(fitted({ isTTY: false, columns: 40 }, 'x '.repeat(99)), 'x '.repeat(99), 'no terminal, no change');
  assert.equal(fitted({ isTTY: true, columns: 40 }, 'x '.repeat(99)).split('\n').length, 5);
});

test('the help of every command fits', () => {
  for (const command of withParts(createProgram())) {
    for (const helpWidth of WIDTHS) {
      const lines = command
        .configureHelp({ ...HELP_FORM, helpWidth })
        .helpInformation()
        .split('\n');
      assert.ok(lines.length > 4);
      assertFit(lines, helpWidth);
    }
  }
});

test('texts below the help: prose is filled, columns stay, commands go on behind a backslash', () => {
  const text = `
Examples:
  eta-vlm ask --image photo.jpg "How do I use this?"
  baseline    the unsafe rate of the model alone

Exit codes: 0 done, 1 failed,
2 wrong usage.`;
  assert.deepEqual(helpText(text, 80).split('\n'), [
    'Examples:',
    '  eta-vlm ask --image photo.jpg "How do I use this?"',
    '  baseline    the unsafe rate of the model alone',
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong usage.',
  ]);
  assert.deepEqual(helpText(text, 40).split('\n'), [
    'Examples:',
    '  eta-vlm ask --image photo.jpg \\',
    '    "How do I use this?"',
    '  baseline    the unsafe rate of the',
    '              model alone',
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong',
    'usage.',
  ]);
});

test('a round fits: where columns are few, the texts stand below the figures', () => {
  const text = ', I cannot help with making it, because somebody could be hurt by it; ask me about the fruit instead.';
  const candidate = { text, tokenCount: 9, reward: -12.3456, clipScore: -0.25, utility: -12.3456, seed: 1 };
  const round: RoundTrace = {
    round: 12,
    chosen: 1,
    decodeMs: 1,
    scoreMs: 1,
    candidates: [
      { ...candidate, isFinal: false },
      { ...candidate, text: 'short', isFinal: true },
    ],
  };
  for (const columns of WIDTHS) {
    const lines = roundLines(round, { paint, columns });
    assertFit(lines, columns);
    assert.ok(lines.join(' ').replace(/\s+/g, ' ').includes(text), 'nothing is lost');
  }
  assert.deepEqual(roundLines(round, { paint, columns: 40 }).slice(-2), [
    '>  2    -12.346   -0.250  -12.346',
    '      short [end]',
  ]);
});

const tally = {
  lineCount: 9400,
  answeredCount: 8001,
  alignedCount: 1200,
  refusedCount: 33,
  cutCount: 4,
  errorCount: 166,
};

test('progress leaves out what tells least, and never the count', () => {
  const at = { doneCount: 9400, tally };
  assert.equal(
    progressText(at, 20_000, 12.4, 119),
    '9400 of 20000, 47 %, 12.4 a second, 14 min left, 1233 unsafe, 166 errors',
  );
  for (const columns of WIDTHS) {
    assertFit([progressText(at, 20_000, 12.4, columns)], columns);
    assertFit([progressText({ ...at, tally: { ...tally, errorCount: 0 } }, 20_000, 0.01, columns)], columns);
  }
  assert.equal(progressText(at, 20_000, 12.4, 39), '9400 of 20000, 14 min left, 166 errors');
  assert.equal(progressText({ ...at, tally: { ...tally, errorCount: 0 } }, null, 12.4, 25), '9400 done, 1233 unsafe');
});

test('a line that is written over never reaches the last column', () => {
  const written: string[] = [];
  const output = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
  const progress = new Progress(output);
  progress.show('checking a folder of a name that is much longer than any terminal is wide ...');
  output.columns = 20;
  progress.show('short');
  progress.show('another text that is too long');
  progress.clear();
  const line = new BatchProgressLine(output, 0);
  line.expect(20_000);
  line.show({ doneCount: 9400, keptCount: 0, line: null, tally }, 1000);
  line.clear();
  assert.equal(written[0], '\rchecking a folder of a name that is mu…');
  assertFit(
    written.slice(1).flatMap((text) => text.split('\r')),
    19,
  );
  assert.match(written.at(-2) ?? '', /^\r9400 of 20000/);
});

test('the summary of a batch fits, and is whole elsewhere than on a terminal', () => {
  const failure = {
    line: 5,
    id: 'r5',
    error: { code: 'ERR_CACHE_FULL', message: 'Expected less. Load with a larger contextSize.' },
  } as AnswerLine;
  const summary = { doneCount: 9400, keptCount: 100, tally };
  const options = { ms: 61_000, isWhole: true, path: `/a/${'folder/'.repeat(30)}a.jsonl`, failures: [failure], paint };
  for (const columns of WIDTHS) assertFit(summaryLines(summary, { ...options, columns }), columns);
  const elsewhere = { ...options, columns: columnsOf({ isTTY: false }) };
  const whole = summaryLines(summary, elsewhere);
  assert.ok(whole.includes(`results     ${options.path}`));
  assert.match(whole.join('\n'), /line 5, r5: Expected less\. Load with a larger --context-size\. \(ERR_CACHE_FULL\)/);
  assert.match(whole.join('\n'), /^ +--retry-errors asks them again\.$/m);
  const merged = summaryLines(summary, { ...elsewhere, mergedFileCount: 2 }).join('\n');
  assert.match(merged, /eta-vlm batch --retry-errors, into this file, asks them again/);
});

const table: TerminalTable = {
  columns: ['arm', 'unsafe rate', 'harmful made again'].map((name, at) => ({ name, isNumeric: at > 0 })),
  rows: [
    ['vanilla', '100.0 % (34.2 to 100.0)', '–'],
    ['vanilla', '7.0 %', '100.0 %'],
  ],
};

test('a table that fits is drawn in columns, another one as a block a row', () => {
  assert.deepEqual(tableLines(table, { paint, columns: 52 }), [
    'arm                  unsafe rate  harmful made again',
    '───────  ───────────────────────  ──────────────────',
    'vanilla  100.0 % (34.2 to 100.0)                   –',
    '                           7.0 %             100.0 %',
  ]);
  assert.deepEqual(tableLines(table, { paint, columns: 51 }), [
    '── arm: vanilla ──',
    '  unsafe rate         100.0 % (34.2 to 100.0)',
    '  harmful made again  –',
    '── arm: vanilla ──',
    '  unsafe rate         7.0 %',
    '  harmful made again  100.0 %',
  ]);
  const named = {
    columns: ['', 'method', 'rate'].map((name, at) => ({ name, isNumeric: at > 1 })),
    rows: [
      ['accuracy', 'vanilla', '70.0 %'],
      ['accuracy', 'eta', '68.0 %'],
    ],
  };
  assert.deepEqual(
    tableLines(named, { paint, columns: 24 }).filter((line) => line.startsWith('──')),
    ['── accuracy, vanilla ──', '── accuracy, eta ──'],
  );
  const long = { columns: table.columns, rows: [['a name '.repeat(20), 'figure '.repeat(20), 'x'.repeat(200)]] };
  for (const columns of WIDTHS) {
    for (const one of [table, long])
      assertFit(captioned('A caption of some words. '.repeat(9), one, { paint, columns }), columns);
  }
});

test('an answer that comes in pieces breaks at spaces, and keeps its own lines', () => {
  const text = 'As an AI assistant, I cannot help.\n\n  indented  code\n猫と犬 and a word.\n';
  for (const size of [1, 3, 7, 100]) {
    const lines = new WordWrap(12);
    let written = '';
    for (let at = 0; at < text.length; at += size) written += lines.add(text.slice(at, at + size));
    written += lines.end();
    assert.equal(written, 'As an AI\nassistant, I\ncannot help.\n\n  indented\ncode\n猫と犬 and a\nword.\n');
  }
});

test('labels and their texts fit', () => {
  for (const columns of WIDTHS)
    assertFit(labelled('label', 'words of a text '.repeat(20), { labelWidth: 16, columns }), columns);
});

test('commands on a terminal of 40 columns', { skip: process.platform !== 'linux' && 'needs script of Linux' }, () => {
  const commands = [
    '--help',
    'ask --help',
    'experiment -h',
    'models list',
    'ask --models nix hello',
    'benchmark --list',
  ];
  for (const command of commands) {
    const line = `stty cols 40; '${process.execPath}' '${main}' ${command}`;
    const { stdout, error } = spawnSync('script', ['-qec', line, '/dev/null'], { encoding: 'utf8' });
    assert.equal(error, undefined);
    const lines = stdout.replaceAll('\r\n', '\n').split(/[\r\n]/);
    assert.ok(lines.length > 4, command);
    assertFit(lines, 40);
  }
});

test('a terminal that is narrower than anything still gets its lines', () => {
  for (const columns of [1, 5, 12, 19]) {
    const lines = fitLine('  answered    143  the own answer of the model stands', columns);
    assert.equal(lines.join('').replace(/\s/g, ''), 'answered143theownanswerofthemodelstands');
  }
});

test('letters of full width are written as they come, and broken where the line ends', () => {
  const wrap = new WordWrap(10);
  const pieces = [...'这是一个没有空格的回答'].map((letter) => wrap.add(letter));
  assert.ok(
    pieces.every((piece) => piece !== ''),
    'nothing is held back',
  );
  assert.equal(pieces.join('') + wrap.end(), '这是一个没\n有空格的回\n答');
});

test('a word that is longer than a line is not held back', () => {
  const wrap = new WordWrap(10);
  const written = wrap.add('x'.repeat(25));
  assert.equal(written, 'x'.repeat(20));
  assert.equal(written + wrap.add(' y') + wrap.end(), `${'x'.repeat(25)} y`);
});

test('a terminal that is made narrower or wider in the middle of a text', () => {
  const wrap = new WordWrap(20);
  const written = [wrap.add('one two three four ')];
  wrap.columns = 9;
  written.push(wrap.add('five six '));
  wrap.columns = 30;
  written.push(wrap.add('seven eight nine ten'), wrap.end());
  assert.equal(written.join(''), 'one two three four\nfive six seven eight nine ten');
});

test('a word ends where letters of full width begin', () => {
  const wrap = new WordWrap(5);
  assert.equal(wrap.add('abcd中') + wrap.end(), 'abcd\n中');
});
