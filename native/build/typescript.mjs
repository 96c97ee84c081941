/** The JavaScript in dist/: what src says, and nothing that an earlier src left there, because dist is what is packed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCommand } from './command-bundle.mjs';
import { removeLeftovers } from './leftovers.mjs';
import { contentHash, PACKAGE_ROOT } from './llama.mjs';
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
  if (existsSync(join(output, 'index.js')) && isFresh(STAMP, 'typescript', hash)) return;
  startLog(log);
  await stage('Compiled the TypeScript', async () => {
    const tsc = join(PACKAGE_ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', config], { log });
    await bundleCommand(output);
  });
  remember(STAMP, 'typescript', hash);
}
