/** What a user gets from npm: the files that are meant, examples that run as they stand, a command that starts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UnpackedPackage } from './unpacked.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const unpacked = new UnpackedPackage();
after(() => unpacked.remove());

test('it holds what is meant for users, and nothing else', () => {
  const files = unpacked.files();
  assert.deepEqual(files.filter((path) => !path.includes('/')).sort(), [
    'CHANGELOG.md',
    'CMakeLists.txt',
    'LICENSE',
    'README.md',
    'binding.gyp',
    'dist',
    'docs',
    'examples',
    'models',
    'native',
    'package.json',
  ]);
  for (const path of ['docs/README.md', 'docs/cli.md', 'models/miniature/language-model.gguf', 'native/build.mjs'])
    assert.ok(files.includes(path), `${path} is not in the package`);
  const strays = files.filter((path) => /\.map$|\.log$|\.py[co]$|__pycache__|(?<!\.d)\.ts$|\.test\./.test(path));
  assert.deepEqual(strays, []);
});

for (const name of readdirSync(`${root}examples`)) {
  test(`examples/${name} runs as it stands and says something`, () => {
    assert.match(name, /\.mjs$/);
    assert.notEqual(unpacked.run(`examples/${name}`).trim(), '');
  });
}

test('examples/engine.mjs prints five answers from one cache', () => {
  const lines = unpacked.run('examples/engine.mjs').trim().split('\n');
  assert.equal(lines.length, 6);
  for (const line of lines.slice(0, 5)) assert.match(line, /^ *-\d+\.\d {2}(end|length) +"/);
  const [, used, prompt] = /^(\d+) cells used for (\d+) prompt tokens/.exec(lines[5] ?? '') ?? [];
  assert.ok(Number(used) > Number(prompt) && Number(used) <= Number(prompt) + 5 * 39, lines[5]);
});

test('examples/respond.mjs takes a picture and a question', () => {
  const picture = `${root}models/miniature/pictures/clean-01.jpg`;
  const said = unpacked.run('examples/respond.mjs', [picture, 'How many cars are there?']);
  assert.match(said, /answered, seed 1/);
});

test('the command answers', () => {
  const { bin } = JSON.parse(readFileSync(`${unpacked.folder}/package.json`, 'utf8')) as {
    bin: Record<string, string>;
  };
  const picture = `${unpacked.folder}/models/miniature/pictures/clean-01.jpg`;
  assert.notEqual(unpacked.run(bin['eta-vlm'] ?? '', ['ask', '--json', '--image', picture, 'What is it?']).trim(), '');
});
