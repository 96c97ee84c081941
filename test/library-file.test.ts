/** Files that are no whole library are told before the system maps them, which would end the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { libraryProblem } from '../src/library-file.js';

const require = createRequire(import.meta.url);
const repository = fileURLToPath(new URL('..', import.meta.url));
const addon = process.env['ETA_VLM_ADDON'] ?? join(repository, 'build/Release/eta-vlm.node');
const onnxruntime = join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6');
const scratch = mkdtempSync(join(tmpdir(), 'eta-library-'));
after(() => rmSync(scratch, { recursive: true }));

const sizeBytes = statSync(addon).size;

/** A copy of the addon's first bytes. */
function cut(bytes: number, name = `cut-${bytes}.node`): string {
  const path = join(scratch, name);
  copyFileSync(addon, path);
  truncateSync(path, bytes);
  return path;
}

/** What a process that loads ETA_VLM_ADDON ends with. */
function load(path: string) {
  const program = `
    const { loadBinding } = await import(${JSON.stringify(join(repository, 'dist/native/binding.js'))});
    try { loadBinding(); console.log('loaded'); } catch (error) { console.log(error.code + ': ' + error.message); }`;
  const env = { ...process.env, ETA_VLM_ADDON: path };
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { env, encoding: 'utf8' });
}

test('what is published for each system is a whole library of that one alone', () => {
  const libraries = {
    linux: join(onnxruntime, 'linux/arm64/onnxruntime_binding.node'),
    darwin: join(onnxruntime, 'darwin/arm64/onnxruntime_binding.node'),
    win32: join(onnxruntime, 'win32/x64/onnxruntime_binding.node'),
  };
  for (const [platform, path] of Object.entries(libraries)) {
    for (const asked of Object.keys(libraries)) {
      const said = libraryProblem(path, asked);
      if (asked === platform) assert.equal(said, null, `${path} on ${asked}`);
      else assert.match(said ?? '', /^a file of \d+ bytes that is no library of/);
    }
  }
});

test('what is missing, a folder, empty, junk, or a pipe is told, and nothing is waited for', () => {
  const junk = join(scratch, 'junk.node');
  writeFileSync(junk, 'no library');
  const pipe = join(scratch, 'pipe.node');
  const cases: [string, RegExp][] = [
    [join(scratch, 'none'), /^no file there$/],
    [scratch, /^no regular file$/],
    [cut(0), /^a file of 0 bytes that is no library/],
    [junk, /^a file of 10 bytes that is no library/],
  ];
  if (spawnSync('mkfifo', [pipe]).status === 0) cases.push([pipe, /^no regular file$/]);
  for (const [path, said] of cases) assert.match(libraryProblem(path) ?? 'nothing', said, path);
});

test('an addon that is cut anywhere is told; as it was built it is not', {
  skip: process.platform !== 'linux',
}, () => {
  assert.equal(libraryProblem(addon), null);
  for (const bytes of [4, 20, 63, 64, 100, 700, 4096, sizeBytes >> 1, sizeBytes - 4096, sizeBytes - 1]) {
    assert.match(libraryProblem(cut(bytes)) ?? 'nothing', /^a file that is cut off: \d+ bytes where \d+ or more/);
  }
});

test('headers that point beyond all bounds are told, and not followed', { skip: process.platform !== 'linux' }, () => {
  for (const at of [32, 40, 56, 60]) {
    const bytes = readFileSync(addon);
    bytes.fill(0xff, at, at === 32 || at === 40 ? at + 8 : at + 2);
    const path = join(scratch, `header-${at}.node`);
    writeFileSync(path, bytes);
    assert.match(libraryProblem(path) ?? 'nothing', /cut off/, `byte ${at}`);
  }
});

test('a cut addon is an error of the process that loads it, and not its end', {
  skip: process.platform !== 'linux',
}, () => {
  for (const bytes of [1000, sizeBytes >> 1, sizeBytes - 1]) {
    const { status, signal, stdout, stderr } = load(cut(bytes));
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, `${bytes}: ${stderr}`);
    assert.match(stdout, /^ERR_ADDON_INVALID: Expected a whole library .*cut off.*ETA_VLM_ADDON names it: unset it/);
  }
});

test('a file that ETA_VLM_ADDON names is never run as JavaScript', () => {
  const mark = join(scratch, 'was-run');
  for (const name of ['script.cjs', 'script.js', 'script']) {
    const path = join(scratch, name);
    writeFileSync(path, `require('fs').writeFileSync(${JSON.stringify(mark)}, ''); module.exports = { build: {} };`);
    assert.match(load(path).stdout, /^ERR_ADDON_INVALID: Expected a whole library .* received a file of \d+ bytes/);
    assert.equal(statSync(mark, { throwIfNoEntry: false }), undefined, `${name} was run`);
  }
});
