/** The page in dist/page: Svelte and what it needs, in one script and one style sheet that load nothing else. */
import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PAGE_FOLDER } from './leftovers.mjs';
import { contentHash, PACKAGE_ROOT } from './llama.mjs';
import { stage, startLog } from './progress.mjs';
import { isFresh, remember, STAMP } from './stamp.mjs';

/** Packages that end up in it, each with its licence beside. */
const TAKEN_IN = ['svelte'];

/** Builds it where there is source and it has changed (an installed package has dist/page already). */
export async function buildPage(log) {
  const source = join(PACKAGE_ROOT, 'src', PAGE_FOLDER);
  const output = join(PACKAGE_ROOT, 'dist', PAGE_FOLDER);
  if (!existsSync(join(source, 'main.ts'))) return;
  const shared = ['types', 'report'].map((name) => join(PACKAGE_ROOT, 'src', name));
  const hash = contentHash(
    [source, ...shared, join(PACKAGE_ROOT, 'package.json'), import.meta.filename],
    process.version,
  );
  if (existsSync(join(output, 'index.html')) && isFresh(STAMP, PAGE_FOLDER, hash)) return;
  startLog(log);
  await stage('Built the page', () => bundlePage(source, output));
  remember(STAMP, PAGE_FOLDER, hash);
}

async function bundlePage(source, output) {
  const [{ build }, { svelte }] = await Promise.all([import('vite'), import('@sveltejs/vite-plugin-svelte')]);
  await build({
    configFile: false,
    root: source,
    base: './', // wherever it is mounted
    logLevel: 'error', // what Svelte warns of, svelte-check refuses
    plugins: [svelte({ configFile: false })],
    build: {
      outDir: output,
      emptyOutDir: true,
      target: ['chrome123', 'firefox128', 'safari17.5'],
      assetsInlineLimit: 0,
      modulePreload: false,
    },
  });
  const require = createRequire(import.meta.url);
  for (const name of TAKEN_IN) {
    const licence = join(require.resolve(`${name}/package.json`), '..', 'LICENSE.md');
    cpSync(licence, join(output, `LICENSE.${name}`));
  }
}
