/** What an earlier build left. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Of the output: the bundle of the command line. As deep as every folder of src, so that it finds what lies beside alike. */
export const BUNDLE_FOLDER = 'command';

/**
 * Takes away every file and folder of the output that nothing in the source makes.
 *
 * @param {string} output
 * @param {string} source
 */
export function removeLeftovers(output, source) {
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.name === BUNDLE_FOLDER) continue;
    const made = join(output, entry.name);
    const from = join(source, entry.isDirectory() ? entry.name : entry.name.replace(/\.(d\.ts|js|js\.map)$/, '.ts'));
    if (!existsSync(from)) rmSync(made, { recursive: true });
    else if (entry.isDirectory()) removeLeftovers(made, from);
  }
}
