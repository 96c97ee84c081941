/** Lines of a chat as terminals write dragged files: which are pictures, and which are questions. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commandIn } from '../../src/cli/chat/commands.js';
import { complete } from '../../src/cli/chat/completer.js';
import { escaped, leadingPaths, wordsOf } from '../../src/cli/chat/words.js';

const options = { skip: process.platform === 'win32' && 'paths of POSIX' };
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-words-'));
after(() => rmSync(folder, { recursive: true }));

test('a dragged path, however it is quoted, is a path', options, () => {
  for (const [line, path] of [
    ["'/a/My photo.png' ", '/a/My photo.png'],
    ['/a/My\\ photo\\ \\(1\\).png', '/a/My photo (1).png'],
    ['"/a/My photo.png"', '/a/My photo.png'],
    ["'/a/Bob'\\''s photo.png'", "/a/Bob's photo.png"],
    ['file:///a/My%20photo.png', 'file:///a/My%20photo.png'],
    ['~/photo.png', '~/photo.png'],
    ['./photo.png', './photo.png'],
    ['/a/猫 ', '/a/猫'],
  ] as const)
    assert.deepEqual(leadingPaths(line), { paths: [path], question: '' }, line);
});

test('several paths, and a question behind them', options, () => {
  assert.deepEqual(leadingPaths("'/a b.png' /c.png What is this, it's odd?"), {
    paths: ['/a b.png', '/c.png'],
    question: "What is this, it's odd?",
  });
});

test('a question is none, whatever quotes are in it', options, () => {
  for (const question of ["It's what?", '"What" is /this/?', 'photo.png', "'open", '50/50?', '\\'])
    assert.deepEqual(leadingPaths(question), { paths: [], question }, question);
});

test('a text of any length is taken apart at once', options, () => {
  for (const text of ['x', "'", '"', '\\', '/a ', `"a'`, "'a"].map((part) => part.repeat(2 ** 20 / part.length))) {
    const startedAt = performance.now();
    assert.deepEqual(leadingPaths(text), { paths: [], question: text.trim() });
    assert.equal(wordsOf(text), null);
    assert.ok(performance.now() - startedAt < 1000, text.slice(0, 9));
  }
});

test('a command has a name and no path', () => {
  assert.deepEqual(commandIn('/image  a b.png '), { name: 'image', operand: 'a b.png' });
  assert.deepEqual(commandIn('/why'), { name: 'why', operand: '' });
  for (const line of ['/home/a.png', '/a.png', ' /why', 'why', "'/why'"]) assert.equal(commandIn(line), null, line);
});

test('what is escaped comes back', () => {
  for (const name of ['plain.png', 'a b.png', "it's.png", 'q".png', 'back\\slash.png'])
    if (process.platform !== 'win32' || /^[\w .]+$/.test(name)) assert.deepEqual(wordsOf(escaped(name)), [name]);
});

test('completion: commands, methods, paths', options, async () => {
  mkdirSync(join(folder, 'in side'));
  writeFileSync(join(folder, 'in side/one.png'), '');
  writeFileSync(join(folder, 'it.png'), '');
  assert.deepEqual(await complete('/h'), [['/help ', '/history '], '/h']);
  assert.deepEqual(await complete('/method p'), [['post', 'pre'], 'p']);
  const found = [`${folder}/in\\ side/`, `${folder}/it.png`];
  assert.deepEqual(await complete(`/image ${folder}/i`), [found, `${folder}/i`]);
  assert.deepEqual(await complete(`${folder}/i`), [found, `${folder}/i`], 'a line may be a path');
  const inner = `${folder}/in\\ side/`;
  assert.deepEqual(await complete(`/save ${inner}`), [[`${inner}one.png`], inner]);
  assert.deepEqual(await complete('/image /no/such/folder/'), [[], '/no/such/folder/']);
  assert.deepEqual(await complete('What is'), [[], 'What is']);
});
