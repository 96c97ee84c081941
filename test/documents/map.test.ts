/** CONTRIBUTING.md against the tree: every room has its line, every path is there, and imports go down its list. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';
import { exists, prose, read, root, rowsOf } from './pages.js';

const PAGE = read('CONTRIBUTING.md');
const ROOMS = rowsOf(PAGE)
  .map(({ name }) => name)
  .filter((name) => /^src\/[\w-]+$/.test(name));

const foldersOf = (folder: string) =>
  readdirSync(`${root}/${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);

/** `src/eta/eta.ts`, `native/js`; what holds capitals in place of a name (`src/cli/NAME.ts`) or a star is a pattern. */
function pathsOf(text: string): string[] {
  const named = [...prose(text).matchAll(/`((?:src|native|models|test|bench|docs|examples)\/[^\s`]*)`/g)];
  return named.map(([, path = '']) => path).filter((path) => !/\*|\b(NAME|WHAT)\b/.test(path));
}

test('every folder of src and native has its line', () => {
  const lines = rowsOf(PAGE).map(({ name }) => name);
  const missing = [...foldersOf('src'), ...foldersOf('native')].filter((folder) => !lines.includes(folder));
  assert.deepEqual(missing, []);
});

test('every path that it names is there', () => {
  const paths = pathsOf(PAGE);
  assert.ok(paths.length > 60, `only ${paths.length} paths were found`);
  assert.deepEqual(
    paths.filter((path) => !exists(path)),
    [],
  );
});

test('imports go down its list', () => {
  const up: string[] = [];
  let count = 0;
  for (const [at, room] of ROOMS.entries()) {
    for (const file of readdirSync(`${root}/${room}`, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      for (const [, from = ''] of read(`${room}/${file}`).matchAll(/from '(\.[^']+)'/g)) {
        const other = posix.join(room, posix.dirname(file), from).split('/').slice(0, 2).join('/');
        const place = ROOMS.indexOf(other);
        if (place >= 0) count++;
        if (place >= 0 && place < at) up.push(`${room}/${file} imports ${from}`);
      }
    }
  }
  assert.ok(count > 200, `only ${count} imports were found`);
  assert.deepEqual(up, []);
});

test('the checks see a path that is not there, and pass over patterns', () => {
  assert.deepEqual(pathsOf('`src/none.ts`, `src/cli/NAME.ts`, `src/*.ts`\n```\n`src/code.ts`\n```'), ['src/none.ts']);
  assert.equal(exists('src/none.ts'), false);
});
