import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { removeDrafts, writeWhole } from '../../src/outputs/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-whole-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
/** A folder of its own. */
function fresh(): (name: string) => string {
  const own = join(folder, String(++count));
  mkdirSync(own);
  return (name) => join(own, name);
}
const write = (path: string, text: string) => writeWhole(path, (draft) => draft.writeFile(text));

test('a link is written through, and stays; also one that dangles', async () => {
  const at = fresh();
  mkdirSync(at('other'));
  writeFileSync(at('other/file'), 'old');
  symlinkSync('other/file', at('link'));
  symlinkSync('link', at('twice'));
  symlinkSync('other/new', at('dangling'));
  await write(at('twice'), 'one');
  assert.equal(readFileSync(at('other/file'), 'utf8'), 'one');
  await write(at('dangling'), 'two');
  assert.equal(readFileSync(at('other/new'), 'utf8'), 'two');
  assert.deepEqual(
    ['link', 'twice', 'dangling'].map((name) => readlinkSync(at(name))),
    ['other/file', 'link', 'other/new'],
  );
  assert.deepEqual([readdirSync(at('.')).length, readdirSync(at('other')).length], [4, 2], 'no drafts');
});

test('neither a folder, nor a pipe, nor a file of several names is replaced', async () => {
  const at = fresh();
  mkdirSync(at('folder'));
  writeFileSync(at('file'), 'old');
  linkSync(at('file'), at('hard'));
  const kinds: [string, RegExp][] = [
    ['folder', /is a folder/],
    ['hard', /2 names/],
  ];
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [at('pipe')]);
    kinds.push(['pipe', /a pipe or a socket/]);
  }
  // A device of its own: a test that fails must not take the machine's away.
  if (process.getuid?.() === 0 && spawnSync('mknod', [at('device'), 'c', '1', '3']).status === 0)
    kinds.push(['device', /a device/]);
  for (const [name, message] of kinds) {
    await assert.rejects(write(at(name), 'new'), { name: 'UsageError', code: 'ERR_INVALID_OPTION', message });
  }
  assert.equal(readFileSync(at('file'), 'utf8'), 'old');
  assert.deepEqual(
    kinds.map(([name]) => lstatSync(at(name)).isFile()),
    kinds.map(([name]) => name === 'hard'),
  );
});

test('what fails leaves the old file, no draft, and the reason', async () => {
  const at = fresh();
  await write(at('a'), 'old');
  await assert.rejects(
    writeWhole(at('a'), async (draft) => {
      await draft.writeFile('half');
      throw new RangeError('mine');
    }),
    RangeError,
  );
  await assert.rejects(write(at('none/a'), 'x'), { name: 'FileError', code: 'ERR_FILE_WRITE', message: /ENOENT/ });
  assert.equal(readFileSync(at('a'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(at('.')), ['a']);
});

test('a limit that is reached in the middle is told with its cause', { skip: process.platform === 'win32' }, () => {
  const at = fresh();
  writeFileSync(at('a'), 'old');
  const room = fileURLToPath(new URL('../../src/outputs/index.ts', import.meta.url));
  const script = `
    const { writeWhole } = await import(${JSON.stringify(room)});
    await writeWhole(${JSON.stringify(at('a'))}, (draft) => draft.writeFile('x'.repeat(100000))).catch((error) =>
      console.log(error.name, error.code, error.cause.code, error.message));`;
  const { stdout } = spawnSync(
    'sh',
    ['-c', 'ulimit -f 20; exec "$0" --import tsx --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8', env: { ...process.env, TSX_DISABLE_CACHE: '1' } },
  );
  assert.match(stdout, /^FileError ERR_FILE_WRITE EFBIG Expected to write ".*", but it failed: EFBIG.*ulimit -f/);
  assert.equal(readFileSync(at('a'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(at('.')), ['a']);
});

test('drafts of killed processes are taken away, and nothing else', async () => {
  const at = fresh();
  const kept = ['a', 'a.draft', 'a.0123456789ab.draft.png', 'a.012345.draft', 'b.0123456789ab.draft'];
  for (const name of [...kept, 'a.0123456789ab.draft', 'a.ffffffffffff.draft']) writeFileSync(at(name), '');
  await removeDrafts(at('a'));
  assert.deepEqual(readdirSync(at('.')).sort(), kept.sort());
});
