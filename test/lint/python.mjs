/** Lints the Python of this repository by ruff.toml with ruff's build in WebAssembly, which needs no Python. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { parse } from 'smol-toml';

// One pass over some hundred files: optimising ten megabytes of WebAssembly costs more than it saves.
setFlagsFromString('--liftoff-only');
const { PositionEncoding, Workspace } = await import('@astral-sh/ruff-wasm-nodejs');

const root = fileURLToPath(new URL('../../', import.meta.url));
const ruff = new Workspace(parse(readFileSync(`${root}ruff.toml`, 'utf8')), PositionEncoding.Utf16);
const files = ['models', 'test'].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);

let faults = 0;
for (const file of files.sort()) {
  for (const { code, message, start_location: start } of ruff.check(readFileSync(root + file, 'utf8'))) {
    console.error(`${file}:${start.row}:${start.column} ${code ?? 'syntax'} ${message}`);
    faults++;
  }
}
console.log(`Ruff ${Workspace.version()}: ${files.length} Python files, ${faults} faults`);
if (faults > 0 || files.length === 0) process.exitCode = 1;
