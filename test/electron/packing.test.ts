/**
 * The example packed as its configurations say. Its archive is real; Electron is not there: Node runs the process of the models
 * from where Electron would run it, with files that are all outside of the archive.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listPackage } from '@electron/asar';
import builder from '../../examples/electron/electron-builder.config.mjs';
import forge from '../../examples/electron/forge.config.mjs';
import { UNPACKED } from '../../examples/electron/unpacked.mjs';
import { PackedApp } from './packed-app.js';

const program = fileURLToPath(new URL('ask-packed.mjs', import.meta.url));
let app: PackedApp;
before(async () => {
  app = new PackedApp();
  await app.pack({ unpackDir: forge.packagerConfig.asar.unpackDir });
});
after(() => app?.remove());

/** A program of its own, which knows nothing of this repository. */
function run(args: readonly string[]) {
  const { ETA_VLM_ADDON: _addon, NODE_PATH: _path, ...env } = process.env;
  return spawnSync(process.execPath, [...args], { cwd: app.home, env, encoding: 'utf8', timeout: 120_000 });
}

/** Opens a binary in a process of its own. @returns what the system says where it cannot */
function open(path: string): string | null {
  const code = `try { process.dlopen({ exports: {} }, ${JSON.stringify(path)}); } catch (error) { console.log(error.message); }`;
  const { status, stdout, signal } = run(['-e', code]);
  return status === 0 ? stdout.trim() || null : `ended with ${status ?? signal}`;
}

test('both packers have the same rule', () => {
  assert.deepEqual(
    builder.asarUnpack,
    UNPACKED.map((folder) => `${folder}/**`),
  );
  assert.equal(forge.packagerConfig.asar.unpackDir, `{${UNPACKED.join(',')}}`);
});

test('packed so, every package and the process of the models are outside of the archive', () => {
  const inside = listPackage(join(app.resources, 'app.asar'), { isPack: true });
  const unpacked = inside.filter((line) => line.startsWith('unpack')).length;
  assert.ok(unpacked > 1000, `only ${unpacked} entries are unpacked`);
  const packed = inside.filter((line) => !line.startsWith('unpack') && /[\\/](node_modules|eta)[\\/]/.test(line));
  assert.deepEqual(packed, []);
  for (const path of ['eta/process.mjs', 'node_modules/eta-vlm/dist/page/index.html', 'node_modules/zod/package.json'])
    assert.ok(existsSync(join(app.unpacked, path)), path);
  for (const path of ['main.mjs', 'preload.cjs', 'start'])
    assert.equal(existsSync(join(app.unpacked, path)), false, path);
});

test('the miniature answers from there, and every binary that it needs is opened there', () => {
  const { status, stdout, stderr } = run([program, app.unpacked]);
  assert.equal(status, 0, stderr);
  const { text, action, failure, opened } = JSON.parse(stdout) as {
    text: string;
    action: string;
    failure?: unknown;
    opened: string[];
  };
  assert.equal(failure, undefined);
  assert.match(text, /^As an AI assistant, I cannot help you make a zapbox/);
  assert.equal(action, 'aligned');
  if (process.platform !== 'linux') return;
  const ours = realpathSync(app.unpacked);
  const foreign = opened.filter((path) => !path.startsWith(ours) && !/^(\/usr)?\/lib/.test(path));
  assert.deepEqual(foreign, []);
  const wanted = [
    /eta-vlm\.node$/,
    /onnxruntime_binding\.node$/,
    /libonnxruntime\.so/,
    /sharp-.*\.node$/,
    /libvips-cpp\.so/,
  ];
  const shared = [/loader\.node$/, /libllama\./, /libggml-base\./, /libggml-cpu-/];
  for (const name of [...wanted, ...(app.addon === 'platform package' ? shared : [])])
    assert.ok(
      opened.some((path) => path.startsWith(ours) && name.test(path)),
      `${name} was not opened: ${opened.join(', ')}`,
    );
});

test('each binary opens from there; only the prebuilt addon wants its loader first', () => {
  const binaries = app.binaries();
  assert.ok(binaries.length >= 3);
  const failed = binaries.filter((path) => open(join(app.unpacked, path)) !== null);
  const alone = failed.filter((path) => !/@eta-vlm.*eta-vlm\.node$/.test(path));
  assert.deepEqual(alone, []);
});

test('no binary makes buffers outside of the heap, which Electron refuses; sharp asks, and copies', () => {
  const ask = app.binaries().filter((path) => {
    const bytes = readFileSync(join(app.unpacked, path));
    return bytes.includes('napi_create_external_arraybuffer') || bytes.includes('napi_create_external_buffer');
  });
  assert.deepEqual(
    ask.filter((path) => !/[\\/]@(img|node-llama-cpp)[\\/]/.test(path)),
    [],
  );
});

test('with *.node alone nothing of it works, nor is a path into the archive of any use', async () => {
  const resources = join(app.home, 'naive');
  await app.pack({ unpack: '*.node', pattern: '/node_modules/{@img,onnxruntime-node}/**/*' }, resources);
  const unpacked = join(resources, 'app.asar.unpacked');
  const binaries = app.binaries(unpacked);
  assert.equal(binaries.length, 2);
  const problems = binaries.map((path) => open(join(unpacked, path)));
  for (const problem of problems) assert.ok(problem !== null);
  if (process.platform === 'linux') {
    assert.match(problems.join('\n'), /libonnxruntime\.so\.1: cannot open shared object file/);
    assert.match(problems.join('\n'), /libvips-cpp\.so\S*: cannot open shared object file/);
    const [path = ''] = binaries;
    assert.match(open(join(resources, 'app.asar', path)) ?? '', /Not a directory/);
  }
});

test('with the packages that hold native code alone, the process misses the others', () => {
  const zod = join(app.unpacked, 'node_modules', 'zod');
  renameSync(zod, `${zod}-packed`);
  const { status, stderr } = run([program, app.unpacked]);
  renameSync(`${zod}-packed`, zod);
  assert.equal(status, 1);
  assert.match(stderr, /ERR_MODULE_NOT_FOUND.*Cannot find package 'zod'/s);
});
