/** What a user gets from npm: the files that are meant, examples that run as they stand, a command that starts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { linksOf } from '../documents/pages.js';
import { UnpackedPackage } from './unpacked.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const unpacked = new UnpackedPackage();
after(() => unpacked.remove());

test('it holds what is meant for users, and nothing else', () => {
  const files = unpacked.files();
  assert.deepEqual(files.filter((path) => !path.includes('/')).sort(), [
    'CHANGELOG.md',
    'CMakeLists.txt',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
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

/** Pages that measure this repository; whoever links to one says that it is there. */
const REPOSITORY_ONLY = ['bench/README.md', 'bench/results/memory.md'];

test('links of README and docs lead into the package, or say that they lead into the repository', () => {
  const files = unpacked.files();
  const pages = files.filter((path) => path === 'README.md' || /^docs\/[^/]+\.md$/.test(path));
  const links = pages.flatMap((page) =>
    readFileSync(`${unpacked.folder}/${page}`, 'utf8')
      .split('\n')
      .flatMap((line) => linksOf(line).map((target) => ({ page, line, target }))),
  );
  const dead = links.flatMap(({ page, line, target }) => {
    const [file = ''] = target.split('#');
    if (/^[a-z]+:/.test(target) || file === '') return [];
    const place = posix.join(posix.dirname(page), decodeURI(file));
    if (files.includes(place)) return [];
    return REPOSITORY_ONLY.includes(place) && line.includes('in the repository') ? [] : [`${page}: ${target}`];
  });
  assert.ok(links.length > 100, `only ${links.length} links were found`);
  assert.deepEqual(dead, []);
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
