/** What comes from outside is shown, and never obeyed: names in models, names of files, answers; in every command. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UsageError } from '../../src/errors.js';
import { describe } from '../../src/options.js';
import { writeEdited } from '../../src/terminal/output.js';
import { createPaint, forTerminal } from '../../src/terminal/paint.js';
import { Progress } from '../../src/terminal/progress.js';
import { visible, visibleName } from '../../src/visible.js';
import { readForm, writeForm } from '../fuzz/gguf-form.js';
import { packageRoot, run } from './command.js';

const HOSTILE = '\x1b]0;mine\x07\x1b[31mred\u009b1m\u202Eevil\u2066';
// biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come out
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-words-'));
after(() => rmSync(folder, { recursive: true }));

test('controls of C0 and C1, of direction, and halves of characters are written out', () => {
  assert.equal(visible('a\x1b]0;t\x07b\u009b31mc\td\n\r\ne\rf'), 'a\\u001b]0;t\\u0007b\\u009b31mc\td\n\ne\\u000df');
  assert.equal(visible('\u202eab\u2069\u200f\u061c\u2028\ud800x😀'), '\\u202eab\\u2069\\u200f\\u061c\\u2028\\ud800x😀');
  assert.equal(visibleName('a\nb\tc\r'), 'a\\nb\\tc\\r');
  const said = { text: '\u009b\u202e\n😀' };
  assert.deepEqual(JSON.parse(visible(JSON.stringify(said))), said, 'JSON stays the same JSON');
});

test('errors hold nothing that a terminal would obey', () => {
  assert.equal(describe('\u009b\u202e\ud800'), '"\\u009b\\u202e\\ud800"');
  assert.equal(new UsageError('ERR_INVALID_REQUEST', 'a\x1b[1mb').message, 'a\\u001b[1mb');
});

test('our own colours pass, those of others do not', () => {
  const paint = createPaint({}, { FORCE_COLOR: '1' });
  assert.equal(forTerminal(`${paint('red', 'a\x1b[32mb')}\x1b[0m`), '\x1b[31ma\\u001b[32mb\x1b[39m\\u001b[0m');
});

test('a line of progress, and what an editor of lines draws', () => {
  let written = '';
  const output = { isTTY: true, columns: 80, write: (text: string) => (written += text) };
  new Progress(output).show('fetching a\x1b[2Jb\nc');
  assert.equal(written.trim(), 'fetching a\\u001b[2Jb\\nc');
  written = '';
  writeEdited(output, '\r\x1b[1G\x1b[0J> a\u009bb\x1b]0;t\x07\x1b[3G\n');
  assert.equal(written, '\r\x1b[1G\x1b[0J> a\\u009bb\\u001b]0;t\x07\x1b[3G\n');
});

/** Where a command may write: one file, and those that write nothing but the cursor's own movements. */
const WRITERS = ['output.ts', 'print.ts', 'progress.ts', 'interrupt.ts'];
const WRITES = /\b(?:stdout|stderr|screen|target|output)\b\??\.write\(|\bconsole\.|\bwriteSync\(/;

test('no file of the command line writes past the one that writes', () => {
  const writing = ['cli', 'terminal'].flatMap((room) =>
    readdirSync(join(packageRoot, 'src', room), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !(room === 'terminal' && WRITERS.includes(path)))
      .filter((path) => {
        const code = readFileSync(join(packageRoot, 'src', room, path), 'utf8').replace(/`[^`]*`/g, '``'); // a program for a child
        return WRITES.test(code);
      }),
  );
  assert.deepEqual(writing, []);
  for (const broken of ['process.stdout.write(x)', 'this.#output.write(x)', 'screen?.write(x)', 'console.log(x)'])
    assert.match(broken, WRITES);
});

/** The miniature's language model under another name. */
function renamedModel(): string {
  const path = join(folder, 'renamed.gguf');
  const form = readForm(readFileSync(join(packageRoot, 'models/miniature/language-model.gguf')));
  const key = form.keys.find(({ name }) => name === 'general.name');
  assert.ok(key !== undefined);
  const bytes = Buffer.from(`${HOSTILE}\nsecond line`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  key.bytes = Buffer.concat([length, bytes]);
  writeFileSync(path, writeForm(form));
  return path;
}

test('the name in a GGUF and the names of files, in commands that tell them', async () => {
  const model = renamedModel();
  const named = join(folder, `model-${HOSTILE}.gguf`);
  symlinkSync(model, named);
  const projector = join(packageRoot, 'models/miniature/projector.gguf');
  const answering = ['--language-model', model, '--projector', projector, '--method', 'vanilla'];
  const commands: readonly (readonly string[])[] = [
    ['ask', ...answering, '--max-tokens', '2', 'What?'],
    ['ask', '--language-model', named, '--method', 'vanilla', '--max-tokens', '2', 'What?'],
    ['ask', '--image', `${HOSTILE}.png`, 'What?'],
    ['ask', '--models', HOSTILE, 'What?'],
    ['ask', '--decision', HOSTILE, 'What?'],
    ['doctor', '--model', named],
    ['models', 'list', HOSTILE],
    ['models', 'verify', HOSTILE],
    ['models', 'use', HOSTILE],
    ['models', 'add', HOSTILE, folder],
    ['models', 'remove', HOSTILE],
    ['batch', `${HOSTILE}.jsonl`, '--out', join(folder, 'out.jsonl')],
    ['benchmark', HOSTILE],
    ['experiment', HOSTILE],
    ['calibrate', '--safe', join(folder, HOSTILE)],
    [HOSTILE],
    ['help', HOSTILE],
  ];
  let shownCount = 0;
  for (const command of commands) {
    const { stdout, stderr } = await run([...command]);
    const told = stdout + stderr;
    assert.doesNotMatch(told, OBEYED, JSON.stringify([command.slice(0, 2), told]));
    if (/\\u(?:001b|202e)/.test(told)) shownCount++;
    assert.doesNotMatch(told, /^second line/m);
  }
  assert.ok(shownCount > commands.length / 2, `only ${shownCount} commands told the name`);
});
