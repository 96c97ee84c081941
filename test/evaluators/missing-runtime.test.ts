/** onnxruntime-node as npm may leave it, and the line that the error names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingRuntime } from '../../src/onnx/missing-runtime.js';

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
