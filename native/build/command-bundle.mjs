/**
 * The command line in a few files: Node takes half a millisecond for each that it loads, and a command needs three
 * hundred. What the compiler made of src/cli/main.ts is replaced; parts that only some commands need stay apart.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BUNDLE_FOLDER } from './leftovers.mjs';
import { PACKAGE_ROOT } from './llama.mjs';

/** Threads and processes that are started by name. */
const STARTED = { 'worker-thread': 'onnx', 'probe-child': 'engine', 'drawing-thread': 'report' };

/** The one package that is taken in, of a hundred files; its licence goes with it. */
const TAKEN_IN = 'zod';

/** Its messages in other languages, which would be two thirds of it. */
const englishAlone = {
  name: 'english-alone',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/** @param output dist, with what the compiler made */
export async function bundleCommand(output) {
  const { build } = await import('esbuild'); // an installed package has no source to bundle
  const require = createRequire(import.meta.url);
  const { dependencies, optionalDependencies } = require(join(PACKAGE_ROOT, 'package.json'));
  const folder = join(output, BUNDLE_FOLDER);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const started = Object.entries(STARTED).map(([name, room]) => [
    `${BUNDLE_FOLDER}/${name}`,
    join(PACKAGE_ROOT, 'src', room, `${name}.ts`),
  ]);
  await build({
    entryPoints: { 'cli/main': join(PACKAGE_ROOT, 'src', 'cli', 'main.ts'), ...Object.fromEntries(started) },
    outdir: output,
    chunkNames: `${BUNDLE_FOLDER}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.17',
    external: Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => name !== TAKEN_IN),
    plugins: [englishAlone],
    logLevel: 'warning',
  });
  rmSync(join(output, 'cli', 'main.js.map'), { force: true });
  cpSync(join(dirname(require.resolve(`${TAKEN_IN}/package.json`)), 'LICENSE'), join(folder, `LICENSE.${TAKEN_IN}`));
}
