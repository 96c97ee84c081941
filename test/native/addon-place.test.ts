/** Which addon is taken, which of node-llama-cpp's libraries, and what is said where they are missing or others. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../../src/errors.js';
import { findAddon, platformPackage } from '../../src/native/addon-place.js';
import { keepsBits, loadFrom, startGpu, startProcessor } from '../../src/native/binding.js';
import { LLAMA_TAG, NODE_LLAMA_CPP_VERSION } from '../../src/native/llama-version.js';
import { installLine, llamaPlatform, sharedLibraries } from '../../src/native/shared-libraries.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-addon-place-'));
after(() => rmSync(scratch, { recursive: true }));

/** An installation in a folder of its own. */
function installation(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(scratch, name, 'node_modules', 'eta-vlm');
  const all = { 'node_modules/eta-vlm/package.json': '{ "version": "0.1.0" }', ...files };
  for (const [path, text] of Object.entries(all)) {
    const file = join(scratch, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return root;
}

const OWN = 'node_modules/eta-vlm/build/Release/eta-vlm.node';
const PLATFORM = {
  'node_modules/@eta-vlm/linux-x64/package.json': '{ "version": "0.1.0" }',
  'node_modules/@eta-vlm/linux-x64/eta-vlm.node': '',
};

const find = (root: string, named?: string, platform = 'linux-x64') => findAddon({ root, named, platform });

/** Code and message of what is thrown. */
function refused(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof EngineError);
    return `${error.code}: ${error.message}`;
  }
  return assert.fail('nothing was thrown');
}

test('ETA_VLM_ADDON goes before an own build, and that before the platform package; a sentence says so', () => {
  const both = installation('both', { [OWN]: '', ...PLATFORM, 'elsewhere.node': '' });
  const named = join(scratch, 'both', 'elsewhere.node');
  const cases = [
    [find(both, named), 'ETA_VLM_ADDON', named, /named by ETA_VLM_ADDON: neither an own build nor @eta-vlm\/linux-x64/],
    [find(both), 'own build', join(scratch, 'both', OWN), /the own build: ETA_VLM_ADDON is not set, and @eta-vlm/],
    [find(both, ''), 'own build', join(scratch, 'both', OWN), /not set/],
    [
      find(installation('package', PLATFORM)),
      'platform package',
      join(scratch, 'package', 'node_modules/@eta-vlm/linux-x64/eta-vlm.node'),
      /of @eta-vlm\/linux-x64: ETA_VLM_ADDON is not set, and there is no own build \(.*eta-vlm\.node\)\.$/,
    ],
  ] as const;
  for (const [place, origin, path, sentence] of cases) {
    assert.deepEqual({ origin: place.origin, path: place.path }, { origin, path });
    assert.match(place.sentence, sentence);
  }
});

test('a file that ETA_VLM_ADDON names and that is not there is no reason to take another', () => {
  const root = installation('named', { [OWN]: '', ...PLATFORM });
  const said = refused(() => find(root, join(scratch, 'none.node')));
  assert.match(said, /^ERR_ADDON_NOT_FOUND: .*ETA_VLM_ADDON names .*none\.node, where there is no file\. Possible/);
  assert.match(said, /- Name the right file in ETA_VLM_ADDON, or unset it\n/);
});

test('a folder that ETA_VLM_ADDON names is not run', () => {
  const root = installation('named-folder', { [OWN]: '' });
  const said = refused(() => find(root, root));
  assert.match(said, /^ERR_ADDON_NOT_FOUND: .*named-folder.*, which is no regular file\. Possible/);
});

test('without any addon every place is named, with what to do on this platform', () => {
  const root = installation('none', {});
  const said = refused(() => find(root));
  assert.match(
    said,
    /^ERR_ADDON_NOT_FOUND: .*not set, there is no own build \(.*\), @eta-vlm\/linux-x64 is not installed/,
  );
  assert.match(said, /- Install it compiled: the file of @eta-vlm\/linux-x64/);
  assert.match(said, /- Build it, with a compiler: npx eta-vlm build; in the repository npm run build\n/);
  const other = refused(() => find(root, undefined, 'freebsd-x64'));
  assert.match(other, /- Build it, with a compiler, because there is no package for freebsd-x64: npx eta-vlm build/);
  assert.doesNotMatch(other, /Install it compiled/);
  const manifest = 'node_modules/@eta-vlm/linux-x64/package.json';
  const empty = installation('empty', { [manifest]: PLATFORM[manifest] });
  assert.match(
    refused(() => find(empty)),
    /^ERR_ADDON_NOT_FOUND: .*@eta-vlm\/linux-x64 lacks its file/,
  );
});

test('the platform package of the program that runs is found where eta-vlm is linked into it', () => {
  const root = installation('linked', {});
  installation('application', { ...PLATFORM, 'main.mjs': '' });
  const program = [join(scratch, 'application', 'main.mjs')];
  const found = findAddon({ root, named: undefined, platform: 'linux-x64', program });
  assert.equal(found.path, join(scratch, 'application', 'node_modules/@eta-vlm/linux-x64/eta-vlm.node'));
});

test('a platform package of another version is refused', () => {
  const manifest = '{ "version": "0.2.0" }';
  const root = installation('versions', { ...PLATFORM, 'node_modules/@eta-vlm/linux-x64/package.json': manifest });
  assert.match(
    refused(() => find(root)),
    /^ERR_ADDON_INVALID: Expected @eta-vlm\/linux-x64 0\.1\.0, .* received 0\.2\.0/,
  );
});

test('a package whose package.json is cut off is told as that, and not as missing', () => {
  const broken = installation('broken', { ...PLATFORM, 'node_modules/@eta-vlm/linux-x64/package.json': '{ "vers' });
  assert.match(
    refused(() => find(broken)),
    /^ERR_ADDON_INVALID: Expected @eta-vlm\/linux-x64 0\.1\.0, .* received a package\.json that cannot be read in .*broken/,
  );
  installation('broken-llama', { ...LOADER, ...llama('3', LIBRARIES), [`${LLAMA}/package.json`]: '' });
  const said = refused(() => sharedLibraries(addonOf('broken-llama')));
  assert.match(said, /received a package\.json that cannot be read in .*broken-llama/);
  assert.ok(said.endsWith(installLine()), said);
});

const binaries = llamaPlatform();
const LLAMA = `node_modules/@node-llama-cpp/${binaries}`;

/** node-llama-cpp's package as it is laid out, or what is left of it. */
function llama(version: string, libraries: readonly string[], name = LLAMA): Record<string, string> {
  const inside = name.split('/').at(-1) ?? '';
  return {
    [`${name}/package.json`]: JSON.stringify({ version, exports: { '.': './dist/index.js' } }),
    [`${name}/dist/index.js`]: '',
    ...Object.fromEntries(libraries.map((library) => [`${name}/bins/${inside}/${library}`, ''])),
  };
}

const LIBRARIES = [
  'libllama.v0.5.0.so',
  'libggml-base.so',
  'libggml.v0.5.0.so',
  'libggml-cpu-x64.so',
  'libllama-common.so',
];
const LOADER = { ...PLATFORM, 'node_modules/@eta-vlm/linux-x64/loader.node': '' };
const addonOf = (name: string) => join(scratch, name, 'node_modules/@eta-vlm/linux-x64/eta-vlm.node');

test('an addon without a loader beside it needs no libraries', () => {
  installation('compiled-in', PLATFORM);
  assert.equal(sharedLibraries(addonOf('compiled-in')), undefined);
});

test('the libraries come from the package beside the addon, each before those that need it; our own CPU backends first', () => {
  installation('whole', { ...LOADER, ...llama(NODE_LLAMA_CPP_VERSION, LIBRARIES) });
  const found = sharedLibraries(addonOf('whole'));
  const folder = join(scratch, 'whole', LLAMA, 'bins', binaries);
  assert.deepEqual(
    found?.paths,
    ['libggml-base.so', 'libggml.v0.5.0.so', 'libllama.v0.5.0.so'].map((name) => join(folder, name)),
  );
  assert.deepEqual(found?.processorFolders, [folder]);
  installation('own-cpu', {
    ...LOADER,
    ...llama(NODE_LLAMA_CPP_VERSION, LIBRARIES),
    'node_modules/@eta-vlm/linux-x64/cpu/libggml-cpu-x64.so': '',
  });
  assert.deepEqual(sharedLibraries(addonOf('own-cpu'))?.processorFolders, [
    join(dirname(addonOf('own-cpu')), 'cpu'),
    join(scratch, 'own-cpu', LLAMA, 'bins', binaries),
  ]);
});

test('threads keep the bits with code for the processor that is compiled in or ours, and not with any other', () => {
  const addon = addonOf('own-cpu');
  assert.equal(keepsBits(addon, null), true);
  assert.equal(keepsBits(addon, join(dirname(addon), 'cpu')), true);
  assert.equal(keepsBits(addon, join(scratch, 'own-cpu', LLAMA, 'bins', binaries)), false);
});

test('the folder of the code for the processor is the one that the process took, not the first that is asked', () => {
  const processorFolders = ['/own/cpu', '/llama/bins'];
  let taken: string | null = null;
  const binding = { loadBackends: (folder: string) => (taken ??= folder === '/own/cpu' ? null : folder) };
  assert.equal(startProcessor(binding, { processorFolders }), '/llama/bins');
  assert.equal(startProcessor(binding, { processorFolders }), '/llama/bins', 'by the next thread');
  assert.throws(() => startProcessor({ loadBackends: () => null }, { processorFolders }), {
    code: 'ERR_ADDON_INVALID',
  });
});

test('libraries of another version, or only some of them, are refused with the line that installs them', () => {
  installation('other', { ...LOADER, ...llama('3.0.0', LIBRARIES) });
  installation('some', { ...LOADER, ...llama(NODE_LLAMA_CPP_VERSION, LIBRARIES.slice(1)) });
  for (const [name, said] of [
    ['other', /^ERR_ADDON_INVALID: Expected @node-llama-cpp\/.* received 3\.0\.0 in /],
    ['some', /^ERR_ADDON_INVALID: Expected libggml-base, libggml and libllama in .*, found 2 of them/],
  ] as const) {
    const message = refused(() => sharedLibraries(addonOf(name)));
    assert.match(message, said);
    assert.ok(message.endsWith(installLine()), message);
  }
});

test('packages for a GPU are seen where they are installed; one of another version has a problem', {
  skip: process.platform !== 'linux',
}, () => {
  installation('gpu', {
    ...LOADER,
    ...llama(NODE_LLAMA_CPP_VERSION, LIBRARIES),
    ...llama(NODE_LLAMA_CPP_VERSION, ['libggml-cuda.so'], `${LLAMA}-cuda`),
    ...llama(NODE_LLAMA_CPP_VERSION, [], `${LLAMA}-cuda-ext`),
    [`${LLAMA}-cuda-ext/bins/${binaries}-cuda/fallback/libggml-cuda.so`]: '',
    ...llama('3.0.0', ['libggml-vulkan.so'], `${LLAMA}-vulkan`),
  });
  const folder = join(scratch, 'gpu', 'node_modules', '@node-llama-cpp');
  const [cuda, vulkan] = sharedLibraries(addonOf('gpu'))?.gpuPackages ?? [];
  assert.deepEqual(cuda, {
    name: `@node-llama-cpp/${binaries}-cuda`,
    files: [
      join(folder, `${binaries}-cuda/bins/${binaries}-cuda/libggml-cuda.so`),
      join(folder, `${binaries}-cuda-ext/bins/${binaries}-cuda/fallback/libggml-cuda.so`),
    ],
    problem: undefined,
  });
  assert.deepEqual(vulkan?.files, []);
  assert.match(
    vulkan?.problem ?? '',
    /^expected 3\.\d+\.\d+, received 3\.0\.0 in .*: npm install --save-exact @node-llama-cpp\/.*-vulkan@/,
  );
});

test('each library that will be opened beside an addon is looked at first; a GPU without its own computes nothing', {
  skip: process.platform !== 'linux',
}, () => {
  const cpu = 'node_modules/@eta-vlm/linux-x64/cpu/libggml-cpu-x64.so';
  installation('cut', { ...LOADER, ...llama(NODE_LLAMA_CPP_VERSION, LIBRARIES), [cpu]: '' });
  const addon = addonOf('cut');
  const whole = process.env['ETA_VLM_ADDON'] ?? join(repository, 'build/Release/eta-vlm.node');
  const libraries = ['libggml-base.so', 'libggml.v0.5.0.so', 'libllama.v0.5.0.so', 'libggml-cpu-x64.so'];
  const inside = libraries.map((name) => join(scratch, 'cut', LLAMA, 'bins', binaries, name));
  const files = [addon, join(dirname(addon), 'loader.node'), ...inside.slice(0, 3), join(scratch, 'cut', cpu)];
  for (const file of [...files, ...inside.slice(3)]) {
    const said = refused(() => loadFrom(addon, LLAMA_TAG, 'Install it again.'));
    assert.ok(said.startsWith('ERR_ADDON_INVALID: Expected a whole library for linux at '), said);
    assert.ok(said.includes(`${file}, received a file of 0 bytes that is no library`), said);
    assert.ok(said.endsWith(file.endsWith('.node') ? 'Install it again.' : installLine()), said);
    copyFileSync(whole, file);
  }
  const gpu = { name: '@node-llama-cpp/linux-x64-vulkan', files: [join(scratch, 'none.so')], problem: undefined };
  const reason = startGpu({ loadBackend: () => assert.fail('it was opened') }, 'none.node', gpu);
  assert.match(reason ?? '', /none\.so, received no file there: install @node-llama-cpp\/linux-x64-vulkan again$/);
});

test('the tag and the version in src are those of the builder, of package.json, and of what is installed', () => {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(repository, path), 'utf8'));
  const manifest = read('package.json') as { devDependencies: Record<string, string> };
  const bundle = read('node_modules/node-llama-cpp/llama/binariesGithubRelease.json') as { release: string };
  const builder = readFileSync(join(repository, 'native/build/llama.mjs'), 'utf8');
  assert.ok(builder.includes(`export const LLAMA_TAG = '${LLAMA_TAG}';`));
  assert.equal(bundle.release, LLAMA_TAG);
  assert.equal(manifest.devDependencies['node-llama-cpp'], NODE_LLAMA_CPP_VERSION);
  assert.equal(platformPackage('linux-arm64'), '@eta-vlm/linux-arm64');
  assert.deepEqual(
    [llamaPlatform('darwin', 'arm64'), llamaPlatform('win32', 'x64'), llamaPlatform('linux', 'x64')],
    ['mac-arm64-metal', 'win-x64', 'linux-x64'],
  );
});
