/** `eta-vlm chat` for somebody who types: keys, Ctrl-C, widths, and terminals that can do little. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { widthOf } from '../../src/terminal/width.js';
import { packageRoot } from './command.js';
import { noTerminal, Terminal } from './terminal.js';

const zapbox = join(packageRoot, 'models/miniature/pictures/drawn-08.png');
const UNSAFE = 'Explain how I can make this.';
/** As readline draws it: behind it a line is waited for. */
const PROMPT = '> \x1b[3G';
const ENTER = '\r';
const [CTRL_C, CTRL_D, UP] = ['\x03', '\x04', '\x1b[A'];
const options = { skip: noTerminal };
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-chat-terminal-'));
after(() => rmSync(folder, { recursive: true }));

/** Lines of a text without what a terminal obeys; what a line was overwritten with is the last of it. */
function linesOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '').replaceAll('\r\n', '\n');
  return plain.split('\n').map((line) => line.slice(line.lastIndexOf('\r') + 1));
}

/** A chat whose first answer takes its time: many pictures, many candidates. */
const SLOW = ['chat', '--seed', '1', '--n', '255', '--threads', '1', ...Array(6).fill(['--image', zapbox])].flat();

/** The chat goes on: an answer about one picture, and nothing of what was stopped. */
async function assertGoesOn(terminal: Terminal, enter: string, prompt: string): Promise<void> {
  const lines = ['/new', `/image ${zapbox}`, 'What is in the picture?', '/history'];
  let told = '';
  for (const line of lines) {
    terminal.type(line + enter);
    await terminal.wait(line);
    told += await terminal.wait(prompt);
  }
  assert.ok(linesOf(told).includes('There is a green zapbox and a black fish.'), told);
  assert.equal(told.match(/^question /gm)?.length, 1, told);
  terminal.type(CTRL_D);
  assert.equal(await terminal.end(), 0);
}

test('Ctrl-C stops the answer and not the chat; keys that come meanwhile are not lost', options, async (t) => {
  const terminal = new Terminal(t, SLOW);
  await terminal.wait(PROMPT);
  terminal.type(UNSAFE + ENTER);
  await terminal.wait('aligning');
  terminal.type(`${CTRL_C}/hist`);
  const told = await terminal.wait(PROMPT);
  assert.match(told, /Stopped: question and answer are not kept\./);
  assert.doesNotMatch(told, /tokens sampled/);
  await terminal.wait('/hist');
  terminal.type(`ory${ENTER}`);
  const kept = await terminal.wait(PROMPT);
  assert.equal(kept.match(/drawn-08\.png/g)?.length, 6, 'its pictures go with the next question');
  assert.doesNotMatch(kept, /question {2}/);
  await assertGoesOn(terminal, ENTER, PROMPT);
});

test('Ctrl-C takes back a line, and ends the chat at an empty one', options, async (t) => {
  const terminal = new Terminal(t, ['chat']);
  await terminal.wait(PROMPT);
  terminal.type('/exi');
  await terminal.wait('/exi');
  terminal.type(CTRL_C);
  await terminal.wait(PROMPT);
  terminal.type(`/method${ENTER}`);
  assert.match(await terminal.wait(PROMPT), /The method is eta\./);
  terminal.type(CTRL_C);
  assert.equal(await terminal.end(), 130);
  assert.match(terminal.shown, /eta-vlm: interrupted\.\r\n$/);
});

test('a second Ctrl-C in an answer ends the chat', options, async (t) => {
  const terminal = new Terminal(t, SLOW);
  await terminal.wait(PROMPT);
  terminal.type(UNSAFE + ENTER);
  await terminal.wait('aligning');
  terminal.type(CTRL_C + CTRL_C);
  assert.equal(await terminal.end(), 130);
});

test(
  'arrow keys bring lines back, of an earlier chat too where a file was named; Tab completes',
  options,
  async (t) => {
    const history = join(folder, 'typed');
    const first = new Terminal(t, ['chat', '--history', history]);
    await first.wait(PROMPT);
    first.type(`/meth\t`);
    await first.wait('/method ');
    first.type(`van\t`);
    await first.wait('vanilla');
    first.type(ENTER);
    assert.match(await first.wait(PROMPT), /The method is vanilla now\./);
    first.type(`/models${ENTER}`);
    await first.wait(PROMPT);
    first.type(`/image ${zapbox.slice(0, -'8.png'.length)}`);
    await first.wait('drawn-0');
    first.type(`8\t`);
    await first.wait('8.png');
    first.type(ENTER);
    assert.match(await first.wait(PROMPT), /goes with the next question/);
    first.type(`/exit${ENTER}`);
    assert.equal(await first.end(), 0);
    assert.equal(
      readFileSync(history, 'utf8'),
      `# lines typed in eta-vlm chat\n/method vanilla\n/models\n/image ${zapbox}\n/exit\n`,
    );

    const second = new Terminal(t, ['chat', '--history', history]);
    await second.wait(PROMPT);
    second.type(UP.repeat(4) + ENTER);
    assert.match(await second.wait('now.'), /\/method vanilla[\s\S]*The method is vanilla now\./);
    second.type(CTRL_D);
    assert.equal(await second.end(), 0);
  },
);

test('everything fits the width, also when it changes', options, async (t) => {
  const terminal = new Terminal(t, ['chat', '--seed', '1', '--image', zapbox], { columns: 100 });
  const fits = (text: string, columns: number) => {
    const wide = linesOf(text).filter((line) => widthOf(line) > columns && !line.startsWith('> '));
    assert.deepEqual(wide, [], `expected lines of at most ${columns} columns`);
    return Math.max(...linesOf(text).map(widthOf));
  };
  await terminal.wait(PROMPT);
  for (const columns of [100, 40, 80]) {
    terminal.resize(columns);
    terminal.type(`${UNSAFE}${ENTER}`);
    await terminal.wait(UNSAFE);
    const answer = fits(await terminal.wait(PROMPT), columns);
    terminal.type(`/why${ENTER}`);
    const why = fits(await terminal.wait(PROMPT), columns);
    terminal.type(`/help${ENTER}`);
    fits(await terminal.wait(PROMPT), columns);
    assert.ok(Math.max(answer, why) > columns - 15, `${columns} columns are used`);
    terminal.type(`/undo${ENTER}`);
    await terminal.wait(PROMPT);
    terminal.type(`'${zapbox}'${ENTER}`);
    await terminal.wait(PROMPT);
  }
  terminal.type(CTRL_D);
  assert.equal(await terminal.end(), 0);
});

test('a dumb terminal gets no escapes, and Ctrl-C all the same', options, async (t) => {
  const terminal = new Terminal(t, SLOW, { env: { TERM: 'dumb' } });
  await terminal.wait('> ');
  terminal.type('/metX\x7fhod\n');
  assert.match(await terminal.wait('\n> '), /The method is eta\./, 'the system edits the line');
  terminal.type(`${UNSAFE}\n`);
  await terminal.wait(UNSAFE);
  await new Promise((resolve) => setTimeout(resolve, 300)); // until the line is read: nothing is shown of it
  terminal.type(CTRL_C);
  assert.match(await terminal.wait('\n> '), /Stopped: /);
  await assertGoesOn(terminal, '\n', '\n> ');
  assert.ok(!terminal.shown.includes('\x1b'), JSON.stringify(terminal.shown));
});
