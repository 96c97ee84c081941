/** The rooms of the addon: what knows Node-API is in native/js, and nothing of native/engine includes it, however far. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../../native/', import.meta.url));

type Reader = (path: string) => string | undefined;
const read: Reader = (path) => (existsSync(join(native, path)) ? readFileSync(join(native, path), 'utf8') : undefined);

/** Names of headers, as they are written; ours are below native. */
const includesOf = (text: string) =>
  [...text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map(([, name = '']) => name);

const isOfNode = (name: string) => /^(napi|node_api|js_native_api|node|v8|uv)\b/.test(name) || name.startsWith('js/');

/** How a file of the engine comes to Node's headers or those of the other room: the first way, or nothing. */
function wayToNode(path: string, reader: Reader, way: readonly string[] = []): readonly string[] | undefined {
  if (way.includes(path)) return undefined;
  const here = [...way, path];
  if (isOfNode(path)) return here;
  for (const name of includesOf(reader(path) ?? '')) {
    // Beside the file that names it, a compiler looks first.
    const beside = join(dirname(path), name);
    const found = wayToNode(reader(beside) === undefined ? name : beside, reader, here);
    if (found !== undefined) return found;
  }
  return undefined;
}

const filesOf = (room: string) => readdirSync(join(native, room)).map((name) => `${room}/${name}`);

test('no file of the engine includes Node-API, nor a header of native/js', () => {
  const files = filesOf('engine');
  assert.ok(files.length > 20, `only ${files.length} files were found`);
  assert.deepEqual(
    files.map((path) => wayToNode(path, read)).filter((way) => way !== undefined),
    [],
  );
});

test('the check sees a way that is long, and the other room, and Node-API in native/js', () => {
  const house: Record<string, string> = {
    'engine/run.cpp': '#include "engine/run.h"\n#include <vector>\n',
    'engine/run.h': '  #  include "cache.h"\n#include "engine/run.h"\n',
    'engine/cache.h': '#include <napi.h>\n',
    'engine/log.cpp': '#include "js/arguments.h"\n',
    'engine/thread.cpp': '#include <node_api.h>\n',
    'engine/good.cpp': '#include "engine/good.h"\n#include <nodes.h>\n// #include <napi.h>\n',
    'engine/good.h': '#include "llama.h"\n',
  };
  const way = (path: string) => wayToNode(path, (name) => house[name]);
  assert.deepEqual(way('engine/run.cpp'), ['engine/run.cpp', 'engine/run.h', 'engine/cache.h', 'napi.h']);
  assert.deepEqual(way('engine/log.cpp'), ['engine/log.cpp', 'js/arguments.h']);
  assert.deepEqual(way('engine/thread.cpp'), ['engine/thread.cpp', 'node_api.h']);
  assert.equal(way('engine/good.cpp'), undefined);
  const wrong = filesOf('js').filter((path) => includesOf(read(path) ?? '').some((name) => /^napi/.test(name)));
  assert.ok(wrong.length > 5, 'and the real ones in native/js');
});

test('a header of ours is named from native/ on', () => {
  const own = new Set([...filesOf('engine'), ...filesOf('js')].map((path) => path.split('/')[1]));
  const bare = [...filesOf('engine'), ...filesOf('js')].flatMap((path) =>
    includesOf(read(path) ?? '')
      .filter((name) => own.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(bare, []);
});

test('no class has a friend, and one file knows libmtmd', () => {
  const files = [...filesOf('engine'), ...filesOf('js')];
  assert.deepEqual(
    files.filter((path) => /^\s*friend\b/m.test(read(path) ?? '')),
    [],
  );
  assert.deepEqual(
    files.filter((path) => includesOf(read(path) ?? '').some((name) => name.startsWith('mtmd'))),
    ['engine/vision.cpp'],
  );
});

/** Calls that look at ggml's list of backends and devices, or change it. */
const LIST =
  /\b(ggml_backend_(?:(?:dev|reg)_(?:count|get|by_\w+)|load\w*|unload|init_b\w+)|llama_(?:model_load_from_\w+|init_from_model|print_system_info)|mtmd_init_from_file)\(/g;

/** Those of a file that hold no lock: llama.cpp's without a device::Reading right before, ggml's at all. */
function unguarded(text: string): string[] {
  return [...text.matchAll(LIST)]
    .filter(({ 1: name = '', index }) => {
      const before = text.slice(0, index).trimEnd().split('\n').slice(-3).join('\n');
      return name.startsWith('ggml') || !/device::Reading \w+;/.test(before);
    })
    .map(({ 1: name = '' }) => name);
}

test('one file looks at the list of devices, which another thread may change, and the others lock it', () => {
  const files = [...filesOf('engine'), ...filesOf('js')].filter((path) => path !== 'engine/device.cpp');
  assert.deepEqual(
    files.flatMap((path) => unguarded(read(path) ?? '').map((name) => `${path}: ${name}`)),
    [],
  );
  assert.ok(unguarded(read('engine/device.cpp') ?? '').length > 5, 'and the real ones in device.cpp');
  assert.deepEqual(unguarded('  a = llama_init_from_model(b);'), ['llama_init_from_model']);
  assert.deepEqual(unguarded('  const device::Reading reading;\n  a = llama_init_from_model(b);'), []);
});
