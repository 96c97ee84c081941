/** What an earlier build left. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Of the output: the bundle of the command line. As deep as every folder of src, so that it finds what lies beside alike. */
export const BUNDLE_FOLDER = 'command';

/** Of the source and of the output: the page. */
export const PAGE_FOLDER = 'page';

/**
 * Takes away every file and folder of the output that nothing in the source makes.
 *
 * @param {string} output
 * @param {string} source
 */
export function removeLeftovers(output, source) {
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    if (entry.name === BUNDLE_FOLDER || entry.name === PAGE_FOLDER) continue; // each is emptied by its own builder
    const made = join(output, entry.name);
    const from = join(source, entry.isDirectory() ? entry.name : entry.name.replace(/\.(d\.ts|js|js\.map)$/, '.ts'));
    if (!existsSync(from)) rmSync(made, { recursive: true });
    else if (entry.isDirectory()) removeLeftovers(made, from);
  }
}
