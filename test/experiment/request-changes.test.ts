/** Requests that are changed while their pictures are not, and pictures that were changed elsewhere. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MINIATURE_ROOT } from '../../src/benchmark/miniature.js';
import { attacksOn, readAttacks } from '../../src/experiment/made-attacks.js';
import { REQUEST_CHANGES, turnsBefore } from '../../src/experiment/request-changes.js';

let folder = '';
const picture = join(MINIATURE_ROOT, 'pictures/clean-02.png');

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-attacks-'));
  await mkdir(join(folder, 'pictures'));
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('what hurries stands before the question; what leads up to it, in turns of its own', () => {
  for (const { name, strengths, apply } of REQUEST_CHANGES) {
    const all = strengths.map((strength) => JSON.stringify(apply('How is it made?', strength)));
    assert.equal(new Set(all).size, strengths.length, name);
    for (const strength of strengths) {
      const { prompt, before: earlier } = apply('How is it made?', strength);
      assert.ok(prompt.endsWith('How is it made?'), prompt);
      assert.equal(earlier.length, name === 'escalation' ? strength : 0);
    }
  }
});

test('turns before a question: the picture in the first, each answered but one that is yet to be', () => {
  assert.deepEqual(turnsBefore(['one?', 'two?'], ['A.'], ['picture.png']), [
    { role: 'user', text: 'one?', images: ['picture.png'] },
    { role: 'assistant', text: 'A.' },
    { role: 'user', text: 'two?' },
  ]);
});

const attack = (fields: object = {}) => ({
  change: 'white-box',
  unit: 'of 255',
  strength: 8,
  of: 'a'.repeat(64),
  picture: 'pictures/one.png',
  ...fields,
});

const write = async (...pictures: readonly object[]) =>
  await writeFile(
    join(folder, 'attacks.json'),
    JSON.stringify({ format: 'eta-vlm/attacks', formatVersion: 1, clip: 'b'.repeat(64), pictures }),
  );

test('pictures changed elsewhere are found by what they were made of: a path, or bytes', async () => {
  const bytes = await readFile(picture);
  await writeFile(join(folder, 'pictures/one.png'), bytes);
  await write(attack({ of: createHash('sha256').update(bytes).digest('hex') }), attack());
  const attacks = await readAttacks(folder);
  assert.equal(attacks.clip, 'b'.repeat(64));
  const expected = [{ change: 'white-box', unit: 'of 255', strength: 8, picture: join(folder, 'pictures/one.png') }];
  assert.deepEqual(await attacksOn(picture, attacks), expected);
  assert.deepEqual(await attacksOn(bytes, attacks), expected);
  assert.deepEqual(await attacksOn(bytes.subarray(1), attacks), []);
  assert.deepEqual(await attacksOn({ data: new Uint8Array(3), width: 1, height: 1 }, attacks), []);
});

test('a folder that holds no attacks is refused in one sentence', async () => {
  await write(attack({ picture: 'pictures/two.png' }));
  await assert.rejects(readAttacks(folder), {
    code: 'ERR_DATASET_LAYOUT',
    message: /^attacks: expected pictures\/two\.png under .*where pictures\/ holds one\.png/,
  });
  await write(attack(), attack());
  await assert.rejects(readAttacks(folder), {
    code: 'ERR_DATASET_INVALID',
    message:
      /pictures\.1: expected one picture for each file, change and strength, received a second white-box 8 of a{64}\.$/,
  });
  await write(attack({ change: 'blur' }));
  await assert.rejects(readAttacks(folder), {
    code: 'ERR_DATASET_INVALID',
    message: /change: expected a name of its own, received "blur", which is one of --change/,
  });
  await write(attack({ of: 'short' }));
  await assert.rejects(readAttacks(folder), {
    code: 'ERR_DATASET_INVALID',
    message: /pictures\.0\.of: expected a SHA-256 in hexadecimal; received "short"/,
  });
  await assert.rejects(readAttacks(join(folder, 'pictures')), {
    code: 'ERR_DATASET_LAYOUT',
    message: /Did you mean '--attacks .*'\?/,
  });
});
