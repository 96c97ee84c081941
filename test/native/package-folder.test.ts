/** Native libraries come from beside the program that runs, and never from beside a file that is an argument of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { programFiles } from '../../src/native/package-folder.js';

const NAME = '@node-llama-cpp/planted';
const search = new URL('../../dist/native/package-folder.js', import.meta.url).href;
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'eta-package-folder-')));
after(() => rmSync(folder, { recursive: true }));

/** A package that lies beside a document and beside two programs. */
const planted = join(folder, 'node_modules', NAME);
mkdirSync(join(planted, 'dist'), { recursive: true });
writeFileSync(join(planted, 'package.json'), JSON.stringify({ name: NAME, exports: { '.': './dist/index.js' } }));
writeFileSync(join(planted, 'dist', 'index.js'), '');
const document = join(folder, 'document.txt');
writeFileSync(document, '');
const PROGRAM = `import(${JSON.stringify(search)}).then(({ packageFolder }) =>
  process.stdout.write(String(packageFolder(${JSON.stringify(NAME)}, []))));`;
const asModule = join(folder, 'program.mjs');
const asCommonJs = join(folder, 'program.cjs');
for (const file of [asModule, asCommonJs]) writeFileSync(file, PROGRAM);
const electron = `data:text/javascript,Object.defineProperty(process.versions,'electron',{value:'40.0.0'})`;

function found(args: readonly string[], input = ''): string {
  const { stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8', cwd: folder });
  assert.equal(stderr, '');
  return stdout;
}

test('beside the main file of a program, of either kind', () => {
  assert.equal(found([asModule]), planted);
  assert.equal(found([asCommonJs, document]), planted);
  assert.equal(found(['--import', electron, asCommonJs]), planted, 'packed in Electron');
});

test('not beside a document that a program without a file is given, nor in the working folder', () => {
  for (const option of ['-e', '--eval', '-p'])
    assert.doesNotMatch(found([option, PROGRAM, document]), /node_modules/, option);
  assert.equal(found([`--eval=${PROGRAM}`, document]), 'undefined');
  assert.equal(found(['--input-type=module', '-e', PROGRAM, document]), 'undefined');
  assert.equal(found(['-', document], PROGRAM), 'undefined');
});

test('not beside the first argument of a packed Electron application', () => {
  const facts = { argv: ['/app', document], execArgv: [], mainFile: '/app/main.js', isPackedElectron: true };
  assert.deepEqual(programFiles(facts), ['/app/main.js']);
  assert.deepEqual(programFiles({ ...facts, isPackedElectron: false }), ['/app/main.js', document]);
  assert.equal(found(['--import', electron, asModule]), 'undefined', 'whose main file is a module');
});
