/**
 * What an addon for Windows or macOS is linked with: the names that node-llama-cpp's libraries and Node export there, from
 * llama.cpp's own headers. The libraries themselves are not needed; npm brings those of this system alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LLAMA_TAG } from './llama.mjs';
import { run } from './progress.mjs';

const requireFromHere = createRequire(import.meta.url);

/**
 * @param {string} source llama.cpp's, corrected
 * @param {{ system: string }} target
 * @param {string} folder for the import libraries
 */
export async function importLibraries(source, { system }, folder, zig, log) {
  mkdirSync(folder, { recursive: true });
  const names = exportedNames(source);
  const libraries = { 'ggml-base': names.base, [`ggml.${LLAMA_TAG}`]: names.ggml, [`llama.${LLAMA_TAG}`]: names.llama };
  if (system === 'Darwin') {
    for (const [name, symbols] of Object.entries(libraries)) {
      const file = `lib${name.replace(/\.v/, '.metal.v')}`;
      writeFileSync(join(folder, `${file}.tbd`), tbd(`@rpath/${file}.dylib`, symbols));
    }
    return;
  }
  const headers = dirname(requireFromHere.resolve('node-api-headers/package.json'));
  const node = ['js_native_api.def', 'node_api.def']
    .flatMap((name) =>
      readFileSync(join(headers, 'def', name), 'utf8')
        .split(/\r?\n/)
        .slice(2),
    )
    .filter((name) => name !== '');
  const all = { ...mapKeys(libraries, (name) => `${name}.dll`), 'node.exe': node };
  for (const [file, symbols] of Object.entries(all)) {
    const definition = join(folder, `${file}.def`);
    writeFileSync(definition, `NAME ${file}\nEXPORTS\n${symbols.join('\n')}\n`);
    const library = join(folder, `${file.replace(/\.\w+$/, '')}.lib`);
    await run(zig, ['dlltool', '-m', 'i386:x86-64', '-d', definition, '-l', library], { log });
  }
}

function exportedNames(source) {
  const declared = (header) => {
    const text = readFileSync(join(source, header), 'utf8').replaceAll(/^\s*#.*$|\/\/.*$|\bDEPRECATED\(/gm, '');
    return [...text.matchAll(/\b(?:LLAMA|GGML)_API\b[^;(]*?\b(\w+)\s*\(/g)].map((found) => found[1]);
  };
  const all = ['ggml', 'ggml-alloc', 'ggml-backend', 'ggml-opt', 'gguf'].flatMap((name) =>
    declared(`ggml/include/${name}.h`),
  );
  const registry = readFileSync(join(source, 'ggml', 'src', 'ggml-backend-reg.cpp'), 'utf8');
  const isOfRegistry = (name) => new RegExp(`^(?!static)\\w.*\\b${name}\\s*\\(.*\\{`, 'm').test(registry);
  return {
    llama: declared('include/llama.h'),
    ggml: all.filter(isOfRegistry),
    base: all.filter((name) => !isOfRegistry(name)),
  };
}

function tbd(installName, symbols) {
  const list = symbols.map((name) => `_${name}`).join(', ');
  return `--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '${installName}'
exports:
  - targets: [ arm64-macos ]
    symbols: [ ${list} ]
...
`;
}

const mapKeys = (record, change) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [change(key), value]));
