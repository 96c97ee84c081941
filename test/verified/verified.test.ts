/** What is remembered of a file holds until the file changes, whatever its times say; and a record is never an error. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { recordPath, VerifiedRecord } from '../../src/verified/record.js';
import { differingSha256, sha256Of, trialOf } from '../../src/verified/verified.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-verified-'));
const PLACE = 'ETA_VLM_CACHE';
const before = process.env[PLACE];
after(() => {
  if (before === undefined) delete process.env[PLACE];
  else process.env[PLACE] = before;
  rmSync(scratch, { recursive: true });
});

/** No file's. Where it is said of one, the record was believed, and the file not read. */
const PLANTED = 'f'.repeat(64);
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

let count = 0;
let file = '';
beforeEach(() => {
  const folder = join(scratch, String(++count));
  mkdirSync(folder);
  file = join(folder, 'model.onnx');
  process.env[PLACE] = join(folder, 'cache');
});

const remembered = () => sha256Of(file, 'changed');
const saved = () => VerifiedRecord.here().saved();

/** What is on disk, in another place: this process takes it for another's, and knows nothing of it by heart. */
function elsewhere(change: (text: string) => string = (text) => text): void {
  const text = existsSync(recordPath()) ? readFileSync(recordPath(), 'utf8') : '';
  process.env[PLACE] = join(scratch, String(++count), 'cache');
  if (text === '') return;
  mkdirSync(process.env[PLACE], { recursive: true });
  writeFileSync(recordPath(), change(text), { mode: 0o600 });
}

/** Every digest that is remembered becomes the planted one. */
const planted = (text: string) => text.replace(/"value":"[0-9a-f]{64}"/g, `"value":"${PLANTED}"`);

/** A file that was written long ago. The time of its entry is the system's: it takes waiting. */
async function settledFile(text = 'one'): Promise<void> {
  writeFileSync(file, text);
  utimesSync(file, 1000, 1000);
  await setTimeout(2100);
}

/** A settled file that was remembered, with the planted digest in place of its own. */
async function plantedFile(): Promise<void> {
  await settledFile();
  assert.equal(await remembered(), hashOf('one'));
  await saved();
  elsewhere(planted);
}

test('an unchanged file is not read again; by name it is, and sizes alone ask nothing', async () => {
  await plantedFile();
  assert.equal(await remembered(), PLANTED, 'the control: the record is believed');
  assert.equal(await sha256Of(file, true), hashOf('one'));
  const text = readFileSync(recordPath(), 'utf8');
  assert.ok(!text.includes('model') && !text.includes(scratch), 'no name of a file is in it');
});

test('a changed byte is seen, whatever is done to the times of its file', async () => {
  const changes: readonly (readonly [name: string, change: () => void])[] = [
    [
      'written in place, the time put back',
      () => {
        const handle = openSync(file, 'r+');
        writeSync(handle, 'two', 0);
        closeSync(handle);
        utimesSync(file, 1000, 1000);
      },
    ],
    [
      'another file of the same time under its name',
      () => {
        writeFileSync(`${file}.new`, 'two');
        utimesSync(`${file}.new`, 1000, 1000);
        renameSync(`${file}.new`, file);
      },
    ],
    [
      'another size, the time put back',
      () => {
        writeFileSync(file, 'threee');
        utimesSync(file, 1000, 1000);
      },
    ],
  ];
  for (const [name, change] of changes) {
    await plantedFile();
    assert.equal(await remembered(), PLANTED, 'the control');
    const { mtimeNs } = statSync(file, { bigint: true });
    change();
    assert.equal(statSync(file, { bigint: true }).mtimeNs, mtimeNs, name);
    assert.equal(await remembered(), hashOf(readFileSync(file, 'utf8')), name);
  }
});

test('a file that was just written is hashed each time: a write in the same tick leaves no trace', async () => {
  writeFileSync(file, 'one');
  await remembered();
  await saved();
  assert.equal(existsSync(recordPath()), false);
  utimesSync(file, 1000, 1000);
  await remembered();
  await saved();
  assert.equal(existsSync(recordPath()), false, 'its entry is as young, though its time says otherwise');
});

test('what turns out wrong is forgotten; a record that is wrong refuses no right file', async () => {
  await plantedFile();
  assert.equal(await differingSha256(file, hashOf('one'), 'changed'), null);
  await saved();
  assert.equal(await remembered(), hashOf('one'));
  assert.equal(await differingSha256(file, hashOf('two'), 'changed'), hashOf('one'));
  await saved();
  assert.ok(!readFileSync(recordPath(), 'utf8').includes(PLANTED));
  await plantedFile();
  assert.equal(await differingSha256(file, hashOf('two'), true), hashOf('one'), 'asked by name');
  await saved();
  assert.ok(!readFileSync(recordPath(), 'utf8').includes(PLANTED), 'it is taken back');
});

test('a trial that went well is remembered for just what it depends on', async () => {
  const first = await trialOf(['model', 1], 'changed');
  assert.equal(first.isPassed, false);
  first.keep();
  await saved();
  elsewhere();
  const passed = async (depends: unknown, check: boolean | 'changed') => (await trialOf(depends, check)).isPassed;
  assert.deepEqual(
    [
      await passed(['model', 1], 'changed'),
      await passed(['model', 2], 'changed'),
      await passed(['model', 1], true),
      await passed(['model', 1], false),
      await passed(null, 'changed'),
    ],
    [true, false, false, false, false],
  );
  elsewhere(planted);
  assert.equal(await passed(['model', 1], 'changed'), false, 'a digest that is another’s');
});

test('a record that cannot be read or written is none, and no error', async () => {
  const wrong: readonly (readonly [name: string, make: () => void])[] = [
    ['no JSON', () => writeFileSync(recordPath(), '{"format":')],
    ['another form', () => writeFileSync(recordPath(), '{"format":"eta-vlm/verified","version":2,"entries":{}}')],
    ['entries that are none', () => writeFileSync(recordPath(), planted(form({ x: 1, [PLANTED]: { value: 3 } })))],
    ['a folder', () => mkdirSync(recordPath())],
    ['too large', () => writeFileSync(recordPath(), form({}) + ' '.repeat(2 ** 19))],
  ];
  await settledFile();
  for (const [name, make] of wrong) {
    process.env[PLACE] = join(scratch, String(++count), 'cache');
    mkdirSync(process.env[PLACE] ?? '', { recursive: true });
    make();
    assert.equal(await remembered(), hashOf('one'), name);
    await saved();
  }
  process.env[PLACE] = join(file, 'below-a-file');
  assert.equal(await remembered(), hashOf('one'), 'a place that cannot be');
  await saved();
});

const form = (entries: object) => JSON.stringify({ format: 'eta-vlm/verified', version: 1, entries });

test('a record that others may write to is not believed', { skip: process.platform === 'win32' }, async () => {
  await plantedFile();
  chmodSync(recordPath(), 0o666);
  assert.equal(await remembered(), hashOf('one'));
});

test('what is taken back while it is being written is not there afterwards', async () => {
  const record = VerifiedRecord.here();
  const key = hashOf('key');
  record.keep(key, key);
  await new Promise((resolve) => setImmediate(resolve)); // it has begun
  await record.forget(key);
  await record.saved();
  assert.deepEqual(JSON.parse(readFileSync(recordPath(), 'utf8')).entries, {});
  if (process.platform !== 'win32') assert.equal(statSync(recordPath()).mode & 0o777, 0o600);
});

test('of many, the newest are kept', async () => {
  const key = (i: number) => hashOf(String(i));
  const entries = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [key(i), { value: PLANTED, at: 600 - i }]));
  mkdirSync(process.env[PLACE] ?? '', { recursive: true });
  writeFileSync(recordPath(), form(entries), { mode: 0o600 });
  (await trialOf('new', 'changed')).keep();
  await saved();
  const kept = JSON.parse(readFileSync(recordPath(), 'utf8')).entries;
  assert.deepEqual(
    [Object.keys(kept).length, key(0) in kept, key(510) in kept, key(511) in kept],
    [512, true, true, false],
  );
});

test('several processes at once: what stands there is whole at every moment, and no draft is left', async () => {
  const module = JSON.stringify(new URL('../../src/verified/verified.ts', import.meta.url).href);
  const record = JSON.stringify(new URL('../../src/verified/record.ts', import.meta.url).href);
  const code = `
    const { trialOf } = await import(${module});
    const { VerifiedRecord } = await import(${record});
    for (let i = 0; i < 20; i++) {
      (await trialOf([process.argv[1], i], 'changed')).keep();
      await VerifiedRecord.here().saved();
    }`;
  const writers = ['a', 'b', 'c'].map(
    (name) =>
      new Promise<number | null>((resolve) => {
        const args = ['--import', 'tsx', '--input-type=module', '-e', code, name];
        const cwd = fileURLToPath(new URL('../../', import.meta.url));
        spawn(process.execPath, args, { cwd, stdio: 'inherit' }).once('close', resolve);
      }),
  );
  let isDone = false;
  const all = Promise.all(writers).finally(() => {
    isDone = true;
  });
  let readCount = 0;
  while (!isDone) {
    if (existsSync(recordPath())) {
      assert.equal(JSON.parse(readFileSync(recordPath(), 'utf8')).version, 1);
      readCount++;
    }
    await setTimeout(2);
  }
  assert.deepEqual(await all, [0, 0, 0]);
  assert.ok(readCount > 5);
  assert.deepEqual(readdirSync(process.env[PLACE] ?? ''), ['verified.json']);
  const { entries } = JSON.parse(readFileSync(recordPath(), 'utf8'));
  assert.ok(Object.keys(entries).length >= 20, 'of the last to write, all of its own');
});

test('a record is written over nothing but a record: no link is followed, no file of another kind replaced', async () => {
  writeFileSync(file, 'weights');
  utimesSync(file, 1, 1);
  for (const plant of ['link', 'notes'] as const) {
    process.env[PLACE] = join(scratch, String(++count), 'cache');
    mkdirSync(process.env[PLACE], { recursive: true });
    const notes = join(scratch, `${plant}-${count}.txt`);
    if (plant === 'link') {
      writeFileSync(notes, 'my notes');
      symlinkSync(notes, recordPath());
    } else writeFileSync(recordPath(), 'my notes');
    VerifiedRecord.here().keep(hashOf(plant), hashOf('value'));
    await saved();
    assert.equal(readFileSync(plant === 'link' ? notes : recordPath(), 'utf8'), 'my notes');
  }
});

test('entries from a time to come keep no new one out', async () => {
  VerifiedRecord.here().keep(hashOf('first'), hashOf('value'));
  await saved();
  elsewhere((text) => text.replace(/"at":\d+/, '"at":1e300'));
  assert.equal(await VerifiedRecord.here().get(hashOf('first')), undefined);
});
