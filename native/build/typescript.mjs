/** The JavaScript in dist/, the page's included: what src says, and nothing that an earlier src left there, because dist is what is packed. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCommand } from './command-bundle.mjs';
import { removeLeftovers } from './leftovers.mjs';
import { contentHash, PACKAGE_ROOT } from './llama.mjs';
import { buildPage } from './page.mjs';
import { run, stage, startLog } from './progress.mjs';
import { isFresh, remember, STAMP } from './stamp.mjs';

/** Compiles, where there is source (an installed package has dist/ already). */
export async function buildTypeScript(log) {
  const config = join(PACKAGE_ROOT, 'tsconfig.json');
  const [source, output] = [join(PACKAGE_ROOT, 'src'), join(PACKAGE_ROOT, 'dist')];
  if (!existsSync(config) || !existsSync(join(source, 'index.ts'))) return;
  if (existsSync(output)) removeLeftovers(output, source);
  const made = [source, config, join(PACKAGE_ROOT, 'package.json'), join(PACKAGE_ROOT, 'native', 'build')];
  const hash = contentHash(made, process.version);
  if (!existsSync(join(output, 'index.js')) || !isFresh(STAMP, 'typescript', hash))
    await compile(config, output, hash, log);
  await buildPage(log);
}

async function compile(config, output, hash, log) {
  startLog(log);
  await stage('Compiled the TypeScript', async () => {
    const tsc = join(PACKAGE_ROOT, 'node_modules', 'typescript-7', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', config], { log });
    await bundleCommand(output);
    chmodSync(join(output, 'cli', 'main.js'), 0o755); // npx links it once and runs it from then on
  });
  remember(STAMP, 'typescript', hash);
}
