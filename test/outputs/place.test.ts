import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { picturePath, placeOf } from '../../src/outputs/index.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'eta-vlm-place-')));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const identityOf = async (name: string) => (await placeOf(at(name))).identity;

test('every spelling of one file is one identity', async () => {
  mkdirSync(at('sub'));
  writeFileSync(at('a'), '');
  writeFileSync(at('b'), '');
  symlinkSync('a', at('link'));
  symlinkSync(at('link'), at('link-to-link'));
  symlinkSync('.', at('here'));
  linkSync(at('a'), at('hard'));
  const own = await identityOf('a');
  for (const name of ['./a', 'sub/../a', 'link', 'link-to-link', 'here/a', 'here/here/link', 'hard'])
    assert.equal(await identityOf(name), own, name);
  assert.notEqual(await identityOf('b'), own);
  mkdirSync(at('sub/deep'));
  symlinkSync('sub/deep', at('down'));
  for (const path of [`${folder}/down/../../a`, `${folder}/sub/deep/../../a`])
    assert.equal((await placeOf(path)).identity, own, path);
  assert.equal(
    (await placeOf(`${folder}/down/../new`)).target,
    at('sub/new'),
    'as the system walks, not as it is spelled',
  );
  assert.deepEqual(await placeOf(at('here/link-to-link')), {
    target: at('a'),
    identity: own,
    kind: 'file',
    nameCount: 2,
  });
  assert.equal((await placeOf(folder)).kind, 'folder');
});

test('a path that the system would not follow is refused, and what lies beside it is not taken for it', async () => {
  mkdirSync(at('kept'));
  writeFileSync(at('kept/file'), 'mine');
  symlinkSync('file/', at('kept/as-folder'));
  symlinkSync('none/../file', at('kept/back-out'));
  for (const name of ['file/', 'file//', 'file/.', 'file/./', 'file/../file', 'none/../file', 'none/..', 'none/.'])
    await assert.rejects(placeOf(`${folder}/kept/${name}`), { code: 'ERR_INVALID_OPTION' }, name);
  for (const name of ['as-folder', 'back-out', 'as-folder/', 'file/x'])
    await assert.rejects(placeOf(`${folder}/kept/${name}`), { code: 'ERR_INVALID_OPTION' }, name);
  assert.equal((await placeOf(`${folder}/kept/new/deep/er`)).kind, 'nothing');
});

test('what is not there yet has one too, also through a link that dangles', async () => {
  symlinkSync('later', at('dangling'));
  symlinkSync('dangling', at('dangling-twice'));
  symlinkSync('new-folder', at('folder-link'));
  const own = await identityOf('later');
  for (const name of ['here/later', 'sub/../later', 'dangling', 'dangling-twice', 'here/dangling'])
    assert.equal(await identityOf(name), own, name);
  assert.notEqual(await identityOf('sooner'), own);
  assert.deepEqual(
    [(await placeOf(at('dangling-twice'))).target, (await placeOf(at('dangling'))).kind],
    [at('later'), 'nothing'],
  );
  assert.equal(await identityOf('here/no/such/file'), await identityOf('no/such/file'));
  assert.notEqual(await identityOf('no/such/file'), await identityOf('no/file'));
});

test('names that differ in case alone are one where the file system says so', async () => {
  mkdirSync(at('case'));
  mkdirSync(at('case/empty'));
  const isOne = existsSync(at('CASE'));
  for (const [one, other] of [
    ['case/new', 'case/NEW'],
    ['case/empty/new', 'case/empty/New'],
  ] as const)
    assert.equal((await identityOf(one)) === (await identityOf(other)), isOne, `${one} ${other}`);
});

test('links in a circle are refused', async () => {
  symlinkSync('round', at('about'));
  symlinkSync('about', at('round'));
  await assert.rejects(placeOf(at('round')), {
    name: 'UsageError',
    code: 'ERR_INVALID_OPTION',
    message: /in a circle/,
  });
});

test('the path of a picture is that of its file, whatever names it', () => {
  for (const path of ['a/b.png', 'a:b.png', 'C://b.png']) assert.equal(picturePath(path), path);
  assert.equal(picturePath(pathToFileURL(at('a b.png')).href), at('a b.png'));
  assert.equal(picturePath(pathToFileURL(at('a b.png'))), at('a b.png'));
  for (const source of [
    'data:image/png;base64,AA==',
    'https://x/y.png',
    's3://x/y.png',
    'file://%zz',
    new Uint8Array(1),
    null,
    undefined,
  ])
    assert.equal(picturePath(source), null);
});
