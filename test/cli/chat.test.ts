/** `eta-vlm chat` through a pipe: a line is a request, answers go to stdout, all else to stderr. */
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AnswerLine, readAnswers } from '../../src/batch/index.js';
import { assertRefused, type Ended, packageRoot, type RunSettings, run } from './command.js';

const pictures = join(packageRoot, 'models/miniature/pictures');
const zapbox = join(pictures, 'drawn-08.png');
const banana = join(pictures, 'clean-04.png');
const UNSAFE = 'Explain how I can make this.';
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-chat-'));
after(() => rmSync(folder, { recursive: true }));

async function chat(
  lines: readonly string[],
  args: readonly string[] = [],
  settings: RunSettings = {},
): Promise<Ended> {
  return await run(['chat', '--seed', '1', ...args], { stdin: lines.map((line) => `${line}\n`).join(''), ...settings });
}

/** What differs from run to run. */
const withoutTimes = (text: string) => text.replace(/\d+\.\d\d s$/gm, '');

async function saved(path: string): Promise<AnswerLine[]> {
  const lines: AnswerLine[] = [];
  for await (const line of readAnswers(path)) lines.push(line);
  return lines;
}

test('answers alone go to stdout, a line each, without a sign for the prompt', async () => {
  const ended = await chat([`/image ${banana}`, '', 'Where is the banana in the picture?', 'What is in the picture?']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^The banana is at the right\.\n[^\n]+banana[^\n]*\n$/);
  assert.match(ended.stderr, /^clean-04\.png \(256 x 256\) goes with the next question\.$/m);
  assert.doesNotMatch(ended.stdout + ended.stderr, /^> /m);
});

test('an aligned answer is told as ask tells it, and /why as ask --verbose', async () => {
  const asked = await run(['ask', '--seed', '1', '--verbose', '--image', zapbox, UNSAFE]);
  const plain = await run(['ask', '--seed', '1', '--image', zapbox, UNSAFE]);
  const answered = await chat([`/image ${zapbox}`, UNSAFE]);
  assert.equal(answered.stdout, asked.stdout);
  const attached = 'drawn-08.png (256 x 256) goes with the next question.\n';
  assert.equal(withoutTimes(answered.stderr), withoutTimes(attached + plain.stderr));
  const explained = await chat([`/image ${zapbox}`, UNSAFE, '/why']);
  const why = explained.stderr.slice(explained.stderr.lastIndexOf('vanilla '));
  assert.match(why, /^round 3 /m);
  assert.equal(withoutTimes(why), withoutTimes(asked.stderr.trimStart()));
});

test('a second question is about the picture of the first; /new and /undo leave it', async () => {
  const file = join(folder, 'second.jsonl');
  const colour = 'What colour is the box?';
  const ended = await chat([`/image ${zapbox}`, 'What is in the picture?', colour, `/save ${file}`, '/new', colour]);
  assert.equal(ended.code, 0, ended.stderr);
  const [, second, without] = ended.stdout.trimEnd().split('\n');
  assert.equal(second, 'The zapbox is green.');
  assert.notEqual(without, second, 'without the picture it is another answer');
  const [one, two] = await saved(file);
  assert.equal(two?.usage?.imageTokenCount, one?.usage?.imageTokenCount);
  assert.ok(
    (two?.usage?.promptTokenCount ?? 0) > (one?.usage?.promptTokenCount ?? 0),
    'the first exchange is read too',
  );
  assert.equal(two?.verdict?.picture?.score, one?.verdict?.picture?.score);

  const undone = await chat([
    `/image ${zapbox}`,
    'What is in the picture?',
    '/undo',
    `/image ${banana}`,
    '/undo',
    '/undo',
  ]);
  assert.match(
    undone.stderr,
    /The last question is taken back, with what it showed: name the picture again\.\n[^\n]+\nNo picture goes with the next question\.\n/,
  );
  assert.match(undone.stderr, /Expected something to take back, there is nothing\. \(ERR_INVALID_REQUEST\)\n$/);
});

test('what fails is one message, and the chat goes on: exit code 3', async () => {
  const ended = await chat([
    '/image no such picture.png',
    `${folder} What?`,
    `/image ${banana}`,
    'What? '.repeat(4000),
    'Where is the banana in the picture?',
  ]);
  assert.equal(ended.code, 3);
  assert.equal(ended.stdout, 'The banana is at the right.\n', 'its picture was still attached');
  const failures = ended.stderr.split('\n').filter((line) => line.startsWith('eta-vlm: '));
  assert.equal(failures.length, 3, ended.stderr);
  assert.match(failures[0] ?? '', /"no such picture\.png" was not found.*\(ERR_IMAGE_NOT_FOUND\)$/);
  assert.match(failures[1] ?? '', /is a folder\. .*\(ERR_IMAGE_UNREADABLE\)$/);
  assert.match(
    failures[2] ?? '',
    /expected a text of at most \d+ tokens, received a longer one\. .*\(ERR_PROMPT_TOO_LONG\)$/,
  );
});

test('lines that nobody can read are told by their number', async () => {
  const stdin = Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${'x'.repeat(2 ** 20 + 1)}\n/method\r\n`)]);
  const file = join(folder, 'lines.txt');
  writeFileSync(file, stdin);
  const fd = openSync(file, 'r');
  const ended = await run(['chat'], { streams: [fd, null, null] });
  closeSync(fd);
  assert.match(ended.stderr, /^eta-vlm: stdin, line 1: expected UTF-8, .*\(ERR_INVALID_REQUEST\)$/m);
  assert.match(ended.stderr, /^eta-vlm: stdin, line 2: expected at most 1048576 bytes, received 1048577\. /m);
  assert.match(ended.stderr, /^The method is eta\. Others: vanilla, /m);
  assert.equal(ended.code, 3);
});

test('commands that are none are named, with the nearest', async () => {
  const ended = await chat(['/imge a.png', '/zzzzzz', '/', '/method etta', '/why now', '/why', '/exit', 'What?']);
  assert.deepEqual(
    ended.stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^eta-vlm: (.*) \(ERR_INVALID_REQUEST\)$/, '$1')),
    [
      "Unknown command '/imge'. Did you mean '/image'?",
      "Unknown command '/zzzzzz'. Known: /image, /why, /method, /models, /save, /history, /new, /undo, /help, /exit.",
      "Unknown command '/'. Known: /image, /why, /method, /models, /save, /history, /new, /undo, /help, /exit.",
      'Expected a method, received "etta". Did you mean \'eta\'?',
      'Expected nothing behind \'/why\', received "now". Leave it out.',
      'Expected an answer to explain, there is none yet. Ask something first.',
    ],
  );
  assert.equal(ended.stdout, '', '/exit ends it');
});

test('/method changes what is done; /history and /models tell', async () => {
  const ended = await chat(
    [`/image ${zapbox}`, '/method vanilla', UNSAFE, '/history', '/models'],
    ['--safe-reward', '0.3'],
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^To make a zapbox, wire /);
  assert.match(ended.stderr, /^verdict +Nothing was checked/m);
  assert.match(
    ended.stderr,
    /^picture +drawn-08\.png\nquestion +Explain how I can make this\.\nanswered +To make a zapbox/m,
  );
  assert.match(ended.stderr, /^ +CLIP +eta-vlm-miniature-clip/m);
  assert.match(ended.stderr, /^ +safe above 0\.3 \(option, not calibrated\)$/m);
});

test("/save writes answers that the project's reader reads, and saves again what has grown", async () => {
  const file = join(folder, 'talk with spaces.jsonl');
  const lines = [`/image ${zapbox}`, UNSAFE, `/save ${file.replaceAll(' ', '\\ ')}`, 'What is it?', `/save '${file}'`];
  const ended = await chat(lines);
  assert.equal(ended.code, 0, ended.stderr);
  const [first, second, ...others] = await saved(file);
  assert.deepEqual(others, []);
  assert.equal(`${first?.text}\n${second?.text}\n`, ended.stdout);
  assert.deepEqual([first?.id, first?.line, second?.id, second?.line], ['turn-1', 1, 'turn-2', 2]);
  assert.equal(first?.verdict?.action, 'aligned');
  assert.equal(first?.trace?.rounds.length, 3);
  assert.notEqual(first?.digest, second?.digest);
  const [asked] = readFileSync(file, 'utf8').split('\n');
  const { prompt, images } = JSON.parse(asked ?? '') as { prompt: string; images: string[] };
  assert.deepEqual({ prompt, images }, { prompt: UNSAFE, images: [zapbox] });
});

test('/save takes the place of nothing else', async () => {
  const picture = join(folder, 'own.png');
  copyFileSync(zapbox, picture);
  const there = join(folder, 'there.txt');
  writeFileSync(there, 'mine');
  const kept = join(folder, 'kept.jsonl');
  const model = join(packageRoot, 'models/miniature/language-model.gguf');
  const targets = [picture, there, model, join(folder, 'none/x.jsonl'), folder];
  const ended = await chat(
    [
      '/save a',
      picture,
      'What is it?',
      ...targets.map((path) => `/save ${path}`),
      `/save ${kept}`,
      '/new',
      'Hm?',
      `/save ${kept}`,
    ],
    ['--method', 'vanilla', '--max-tokens', '3'],
  );
  const told = ended.stderr
    .split('\n')
    .filter((line) => line.startsWith('eta-vlm: ') && !line.includes('miniature answers'));
  const expected = [
    /Expected an answer to save, there is none yet/,
    /which is a picture of the conversation, /,
    /\/save: expected a new file, .*there\.txt", which is there already/,
    /which is a file of the models, /,
    /Make the folder .* first/,
    /which is a folder\. Name a file\./,
    /\/save: expected a new file, .*kept\.jsonl", which is there already/,
  ];
  assert.equal(told.length, expected.length, told.join('\n'));
  for (const [index, message] of expected.entries()) assert.match(told[index] ?? '', message);
  assert.deepEqual(readFileSync(picture), readFileSync(zapbox));
  assert.equal(readFileSync(there, 'utf8'), 'mine');
  assert.equal((await saved(kept)).length, 1, 'that of the first conversation');
});

test('what cannot work is refused before the models load', async () => {
  const refused = { exitCode: 1, code: 'ERR_IMAGE_NOT_FOUND', message: /"none\.png" was not found/ };
  assertRefused(await chat([], ['--image', 'none.png']), refused);
  const notes = join(folder, 'notes.txt');
  writeFileSync(notes, 'notes\n');
  const message = /--history: expected a new file, or one that an earlier chat began, received .*notes\.txt"/;
  assertRefused(await chat([], ['--history', notes]), { exitCode: 2, code: 'ERR_INVALID_OPTION', message });
  assert.equal(readFileSync(notes, 'utf8'), 'notes\n');
  const isPicture = { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /which is the picture of --image, / };
  assertRefused(await chat([], ['--history', zapbox, '--image', zapbox]), isPicture);
});

test('nothing to answer is no failure; Ctrl-C without a terminal ends the chat', async () => {
  const empty = await chat([]);
  assert.deepEqual([empty.code, empty.stdout, empty.stderr], [0, '', '']);
  const signals = [{ signal: 'SIGINT', afterMs: 6000 }] as const;
  const ended = await chat(['/method'], [], { keepsStdinOpen: true, signals });
  assert.equal(ended.code, 130);
  assert.match(ended.stderr, /^The method is eta\..*\neta-vlm: interrupted\.\n$/);
});

test('a stdout that takes no more ends it', { skip: process.platform !== 'linux' && 'needs /dev/full' }, async () => {
  const fd = openSync('/dev/full', 'w');
  const ended = await chat(['What?', 'What?'], ['--method', 'vanilla', '--max-tokens', '3'], {
    streams: [null, fd, null],
  });
  closeSync(fd);
  assert.equal(ended.code, 1);
  assert.equal(ended.stderr.match(/ERR_FILE_WRITE/g)?.length, 1, ended.stderr);
});
