/**
 * `npm run lint:native`: clang-format over the C++, and with --tidy clang-tidy too, where it is on the PATH and the addon
 * has been built. `npm run format:native` (--write) formats it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../native/build/options.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { clangFormatPath } = createRequire(import.meta.url)('clang-format-node');

const filesIn = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => /\.(c|cpp|h)$/.test(name))
    .map((name) => join(folder, name));

function run(command, args) {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ isClean: code === 0, output }));
  });
}

/** One process a core; what is wrong is printed as it is found. */
async function tidy(program, files) {
  const waiting = [...files];
  let isClean = true;
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await run(program, ['-p', join('build', 'addon'), '--quiet', file]);
      if (result.isClean) continue;
      isClean = false;
      process.stderr.write(result.output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return isClean;
}

const sources = [...filesIn('native/engine'), ...filesIn('native/js')];
const flags = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const format = await run(clangFormatPath, [
  ...flags,
  ...sources,
  ...filesIn('native/loader'),
  ...filesIn('test/native/planted'),
]);
process.stderr.write(format.output);
if (!format.isClean) {
  process.stderr.write('Expected the C++ in the form of .clang-format. Run npm run format:native.\n');
  process.exitCode = 1;
}
if (process.argv.includes('--tidy')) {
  const program = findProgram('clang-tidy');
  if (program === undefined || !existsSync(join(root, 'build', 'addon', 'compile_commands.json'))) {
    process.stderr.write('clang-tidy was left out: it is not on the PATH, or the addon has not been built by it.\n');
  } else if (
    !(await tidy(
      program,
      sources.filter((file) => file.endsWith('.cpp')),
    ))
  ) {
    process.exitCode = 1;
  }
}
