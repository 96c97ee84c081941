/** What a user gets from npm: the files that are meant, examples that run as they stand, a command that starts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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
    'deploy',
    'dist',
    'docs',
    'examples',
    'models',
    'native',
    'package.json',
  ]);
  for (const path of [
    'dist/page/index.html',
    'docs/README.md',
    'docs/cli.md',
    'models/miniature/language-model.gguf',
    'native/build.mjs',
  ])
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

test('every example is a program that is run below, or the app of test/electron', () => {
  const names = readdirSync(`${root}examples`);
  assert.deepEqual(
    names.filter((name) => !name.endsWith('.mjs')),
    ['electron'],
  );
  const files = unpacked.files().filter((path) => path.startsWith('examples/electron/'));
  for (const name of ['package.json', 'main.mjs', 'preload.cjs', 'eta/process.mjs', 'start/index.html'])
    assert.ok(files.includes(`examples/electron/${name}`), `${name} is not in the package`);
});

for (const name of readdirSync(`${root}examples`).filter((name) => name.endsWith('.mjs'))) {
  test(`examples/${name} runs as it stands and says something`, () => {
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

/** What a module of the builder says, asked in a process of its own. */
function builderSays(expression: string): unknown {
  const module = new URL('../../native/build/main-package.mjs', import.meta.url);
  const program = `import { withPlatforms } from ${JSON.stringify(module)}; console.log(JSON.stringify(${expression}));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }));
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>;
}

test('npm asks the registry for a platform package only where its owner packed it so', () => {
  const own = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
  const given = { optionalDependencies: own.optionalDependencies };
  const forFiles = builderSays(`withPlatforms(${JSON.stringify(given)}, false)`) as Manifest;
  const forRegistry = builderSays(`withPlatforms(${JSON.stringify(given)}, true)`) as Manifest;
  const isPlatform = (name: string) => name.startsWith('@eta-vlm/');
  const asked = ({ dependencies = {}, optionalDependencies = {} }: Partial<Manifest>) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).filter(isPlatform);
  assert.deepEqual([asked(own), asked(forFiles)], [[], []]);
  assert.deepEqual(own.peerDependencies, undefined, 'npm ci of the repository asks for none either');
  const peers = forFiles.peerDependencies ?? {};
  assert.ok(Object.keys(peers).includes('@eta-vlm/linux-x64'));
  for (const [name, version] of Object.entries(peers)) {
    assert.equal(version, own.version, name);
    assert.equal(forFiles.peerDependenciesMeta?.[name]?.optional, true, name);
  }
  assert.deepEqual(asked(forRegistry).sort(), Object.keys(peers).sort());
});

test('the workflow of a hosted CI calls scripts that exist, and packs and installs every platform', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  const workflow = readFileSync(`${root}.github/workflows/ci.yml`, 'utf8');
  const called = [...workflow.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
  assert.deepEqual(
    called.filter((name) => scripts[name] === undefined),
    [],
  );
  const platforms = Object.keys((builderSays('withPlatforms({}, false)') as Manifest).peerDependencies ?? {});
  assert.ok(platforms.length > 3);
  for (const name of platforms.map((full) => full.slice('@eta-vlm/'.length))) {
    assert.ok(workflow.includes(`--platform ${name}\n`), name);
    assert.ok(workflow.includes(`name: ${name} }`), name);
  }
});

test('what only a build needs is no dependency', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
  const installed = Object.keys({ ...dependencies, ...optionalDependencies });
  for (const name of ['node-llama-cpp', 'cmake-js', 'node-addon-api', 'node-api-headers'])
    assert.ok(!installed.includes(name), name);
});

test('the command answers', () => {
  const { bin } = JSON.parse(readFileSync(`${unpacked.folder}/package.json`, 'utf8')) as {
    bin: Record<string, string>;
  };
  const picture = `${unpacked.folder}/models/miniature/pictures/clean-01.jpg`;
  assert.notEqual(unpacked.run(bin['eta-vlm'] ?? '', ['ask', '--json', '--image', picture, 'What is it?']).trim(), '');
});
