import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BUNDLE_FOLDER, removeLeftovers } from '../../native/build/leftovers.mjs';
import { inWordsOfZig } from '../../native/build/zig-arm.mjs';

const script = fileURLToPath(new URL('../../native/build.mjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-builder-'));
after(() => rmSync(scratch, { recursive: true }));

/** The builder with a cache of its own, so that it could not find anything built. */
function build(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ETA_VLM_CACHE: join(scratch, 'cache'), ...env },
  });
}

test('an argument that it does not know, or two backends, end it with 2', () => {
  for (const [args, message] of [
    [['--gpu'], /Unknown argument "--gpu"[\s\S]*Usage/],
    [['cuda'], /Unknown argument "cuda"/],
    [['--cpu', '--cuda'], /received --cpu and --cuda/],
    [['--metal', '--prebuilt'], /takes no flags/],
    [['--cuda', '--prebuilt'], /no backend\. That of a GPU is a package/],
  ] as const) {
    const { status, stdout, stderr } = build(args);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
  const flags = build(['--cpu'], { ETA_VLM_CMAKE_FLAGS: '-DA=1; rm' });
  assert.equal(flags.status, 2);
  assert.match(flags.stderr, /ETA_VLM_CMAKE_FLAGS/);
});

test('what is missing is named at once, with the command that installs it, before anything is made', () => {
  const { status, stdout, stderr } = build(['--vulkan'], { PATH: scratch, CXX: undefined });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  if (process.platform !== 'win32') assert.match(stderr, /a C\+\+17 compiler: .*install/);
  for (const what of [/CMake 3\.19 or newer: .*install/, /- git: .*install/, /glslc.*install/])
    assert.match(stderr, what);
  assert.equal(existsSync(join(scratch, 'cache')), false);
});

test('packages that only a build needs are named in one line of npm, in their exact versions', () => {
  // A copy of the builder and its manifest, beside which nothing is installed.
  const copy = join(scratch, 'installed');
  const root = fileURLToPath(new URL('../..', import.meta.url));
  cpSync(join(root, 'native'), join(copy, 'native'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  const { status, stderr } = spawnSync(process.execPath, [join(copy, 'native/build.mjs'), '--cpu'], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  const exact = '@\\d+\\.\\d+\\.\\d+';
  const names = ['node-llama-cpp', 'cmake-js', 'node-addon-api', 'node-api-headers'].map((name) => name + exact);
  assert.match(stderr, new RegExp(`npm install --save-dev --ignore-scripts ${names.join(' ')}\\n`));
});

test('help goes to stdout', () => {
  const { status, stdout, stderr } = build(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /--prebuilt/);
  assert.equal(stderr, '');
});

test('what deleted sources left in the output goes, and what sources make stays', () => {
  const write = (root: string, names: readonly string[]) => {
    for (const name of names) {
      mkdirSync(join(scratch, root, name, '..'), { recursive: true });
      writeFileSync(join(scratch, root, name), '');
    }
  };
  const files = (stems: readonly string[]) =>
    stems.flatMap((stem) => ['.d.ts', '.js', '.js.map'].map((end) => stem + end));
  write('src', ['index.ts', 'room/kept.ts']);
  write('dist', [...files(['index', 'gone', 'room/kept', 'room/gone', 'old-room/deep/gone']), 'room/notes.txt']);
  removeLeftovers(join(scratch, 'dist'), join(scratch, 'src'));
  const left = readdirSync(join(scratch, 'dist'), { recursive: true, encoding: 'utf8' }).map((name) =>
    name.replaceAll('\\', '/'),
  );
  assert.deepEqual(left.sort(), [...files(['index', 'room/kept']), 'room'].sort());
});

test('every file of dist is made by a source', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const made = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.js$/.test(name),
  );
  assert.ok(made.length > 100, 'expected a build');
  // The page is Vite's, which empties its folder before it builds.
  const compiled = made.filter((name) => !name.startsWith(BUNDLE_FOLDER) && !/^page[\\/]/.test(name));
  assert.ok(compiled.length < made.length, 'expected the command line in a bundle');
  for (const name of compiled) assert.ok(existsSync(join(root, 'src', name.replace(/\.js$/, '.ts'))), name);
});

test("Arm's processors in zig's words; other options as they are", () => {
  for (const [given, expected] of [
    ['-march=armv8-a', '-mcpu=generic+v8a'],
    ['-march=armv8.2-a+dotprod+fp16', '-mcpu=generic+v8_2a+dotprod+fullfp16'],
    ['-march=armv9.2-a+dotprod+fp16+nosve+i8mm+sme', '-mcpu=generic+v9_2a+dotprod+fullfp16-sve+i8mm+sme'],
    ['-march=x86-64', '-march=x86-64'],
    ['-O3', '-O3'],
  ] as const)
    assert.equal(inWordsOfZig(given), expected);
});

test('--fastest keeps the route of the addon that is there', {
  skip: process.platform !== 'linux' && 'there is one route elsewhere',
}, () => {
  const addon = fileURLToPath(new URL('../../build/Release/', import.meta.url));
  assert.ok(existsSync(join(addon, 'eta-vlm.node')), 'npm run build');
  const options = new URL('../../native/build/options.mjs', import.meta.url);
  const program = `const { parseOptions } = await import('${options}'); console.log(parseOptions(['--fastest']).isPrebuilt)`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(stdout.trim(), `${existsSync(join(addon, 'loader.node'))}`);
});
