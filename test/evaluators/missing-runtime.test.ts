/** onnxruntime-node as npm may leave it, and the line that the error names. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { damagedRuntime, missingRuntime } from '../../src/onnx/missing-runtime.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

const LINE = /npm install --save-exact --ignore-scripts onnxruntime-node@\d+\.\d+\.\d+$/;

test('a missing package, a missing binary and missing libraries each say what to run', () => {
  const cases = [
    [
      "Cannot find package 'onnxruntime-node' imported from /app/worker-thread.js",
      /but it is not installed: npm leaves it out/,
    ],
    [
      "Cannot find module '../bin/napi-v6/linux/x64/onnxruntime_binding.node'\nRequire stack:\n- /app/binding.js",
      /binary for \S+ \S+, but the package has none.*Remove node_modules\/onnxruntime-node/,
    ],
    [
      'libonnxruntime.so.1: cannot open shared object file: No such file or directory',
      /libraries to load, but they do not: libonnxruntime\.so\.1: cannot open/,
    ],
  ] as const;
  for (const [message, said] of cases) {
    const text = missingRuntime(new Error(message)) ?? '';
    assert.match(text, said);
    assert.match(text, LINE);
  }
});

test('any other failure of the thread is none of these', () => {
  assert.equal(missingRuntime(new Error('out of memory')), undefined);
  assert.equal(missingRuntime(new Error('onnxruntime: the graph has no input')), undefined);
});

/** An installation of its own, with a copy of onnxruntime-node's files for this platform. */
function installation(root: string): string {
  const modules = join(root, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(repository, 'node_modules'))) {
    if (name !== 'onnxruntime-node') symlinkSync(join(repository, 'node_modules', name), join(modules, name));
  }
  for (const path of [
    'package.json',
    'dist',
    ...['dist', 'package.json', `bin/napi-v6/${process.platform}/${process.arch}`].map(
      (inside) => `node_modules/onnxruntime-node/${inside}`,
    ),
  ]) {
    cpSync(join(repository, path), join(root, path), { recursive: true });
  }
  return join(modules, 'onnxruntime-node');
}

test('a library that is cut off is an error with the line to run, and not the end of the process', {
  skip: process.platform !== 'linux',
}, (context) => {
  const root = mkdtempSync(join(tmpdir(), 'eta-runtime-'));
  context.after(() => rmSync(root, { recursive: true }));
  const runtime = installation(root);
  const program = `
    const { EvaluatorWorker } = await import(${JSON.stringify(join(root, 'dist/onnx/index.js'))});
    try { await (await EvaluatorWorker.start()).dispose(); console.log('started'); }
    catch (error) { console.log(error.code + ': ' + error.message); }`;
  const start = () => spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(start().stdout, 'started\n');
  assert.equal(damagedRuntime(runtime), undefined);
  const library = join(runtime, `bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`);
  truncateSync(library, statSync(library).size >> 1);
  const { stdout, signal } = start();
  assert.equal(signal, null);
  assert.match(
    stdout,
    /^ERR_EVALUATOR: Expected onnxruntime-node's library .*libonnxruntime\.so\.1 to be whole, received .*cut off/,
  );
  assert.match(stdout.trim(), LINE);
});
