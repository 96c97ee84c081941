import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
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

test('drafts that cannot be seen or taken away are told: they could still take their target’s name', async () => {
  const at = fresh();
  const failing = mock.method(promises, 'readdir', () =>
    Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })),
  );
  syncBuiltinESMExports();
  try {
    await assert.rejects(removeDrafts(at('a')), { name: 'FileError', code: 'ERR_FILE_READ', message: /EIO/ });
  } finally {
    failing.mock.restore();
    syncBuiltinESMExports();
  }
  mkdirSync(at('a.0123456789ab.draft')); // a folder, which stays
  await assert.rejects(removeDrafts(at('a')), { name: 'FileError', code: 'ERR_FILE_WRITE', message: /Take it away/ });
});

test('permissions stay, through links too, and from the first moment', {
  skip: process.platform === 'win32',
}, async () => {
  const at = fresh();
  const modeOf = (name: string) => statSync(at(name)).mode & 0o777;
  for (const mode of [0o600, 0o640, 0o444, 0o666, 0o755]) {
    writeFileSync(at('file'), 'old');
    chmodSync(at('file'), mode);
    symlinkSync('file', at('link'));
    let during = -1;
    await writeWhole(at('link'), async (draft) => {
      during = (await draft.stat()).mode & 0o777;
      await draft.writeFile('new');
    });
    assert.deepEqual([during, modeOf('file'), readFileSync(at('file'), 'utf8')], [mode, mode, 'new']);
    for (const name of ['file', 'link']) rmSync(at(name));
  }
  writeFileSync(at('plain'), '');
  await write(at('new'), 'x');
  assert.equal(modeOf('new'), modeOf('plain'), 'a new file as the umask says');
});

test('what root writes stays whose it is', { skip: process.getuid?.() !== 0 }, async () => {
  const at = fresh();
  writeFileSync(at('file'), 'old');
  chownSync(at('file'), 65_534, 65_533);
  chmodSync(at('file'), 0o640);
  await write(at('file'), 'new');
  const { uid, gid, mode } = statSync(at('file'));
  assert.deepEqual([uid, gid, mode & 0o777], [65_534, 65_533, 0o640]);
});

test('the next writer in a folder takes away drafts of killed writers, and nothing else', async () => {
  const at = fresh();
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
  const other = machine === '000000' ? '000001' : '000000';
  const pid = (number: number) => number.toString(16).padStart(8, '0');
  const dead = pid(2 ** 22 - 1);
  const draft = (name: string, writer: string, host = machine) => `${name}.${host}${writer}01234567.draft`;
  const stale = [draft('a', dead), draft('other', dead)];
  const kept = [
    draft('a', pid(process.pid)),
    draft('a', dead, other),
    'a.0123456789ab.draft',
    `a.${machine}${dead}.draft`,
    `${draft('a', dead)}.png`,
  ];
  const fresh1 = draft('b', dead);
  for (const name of [...stale, ...kept, fresh1]) writeFileSync(at(name), '');
  const hourAgo = Date.now() / 1000 - 3600;
  for (const name of [...stale, ...kept]) utimesSync(at(name), hourAgo, hourAgo);
  await write(at('a'), 'new');
  assert.deepEqual(readdirSync(at('.')).sort(), [...kept, fresh1, 'a'].sort());
});

test('the draft of a writer that was killed is one that the next takes away', {
  skip: process.platform === 'win32',
}, async () => {
  const at = fresh();
  const room = fileURLToPath(new URL('../../src/outputs/index.ts', import.meta.url));
  const script = `
    const { writeWhole } = await import(${JSON.stringify(room)});
    await writeWhole(${JSON.stringify(at('a'))}, async (draft) => {
      await draft.writeFile('half');
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => setInterval(() => undefined, 1000));
    });`;
  const { signal } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  assert.equal(signal, 'SIGKILL');
  const [left = '', ...others] = readdirSync(at('.'));
  assert.match(left, /^a\.[0-9a-f]+\.draft$/);
  assert.deepEqual(others, []);
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(at(left), hourAgo, hourAgo);
  await write(at('a'), 'whole');
  assert.deepEqual(readdirSync(at('.')), ['a']);
});
