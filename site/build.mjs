/**
 * The site, into build/html: pages, API reference, and a check of every link. Ends with 1 where a page cannot be made, a
 * link leads nowhere, a file is loaded from elsewhere, or something public has no comment.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { seesGaps, writeApi } from './api.mjs';
import { faultsOf } from './check.mjs';
import { layOut } from './pages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${here}build`, { recursive: true, force: true });

layOut(root, `${here}build/pages`);
if (!(await seesGaps())) {
  console.error('Expected the check of comments to see the three that site/planted lacks; it does not.');
  process.exit(1);
}
if (!(await writeApi(root, `${here}build/pages/api`))) {
  console.error('Expected a comment for everything public, and links that lead to one: the lines above say where not.');
  process.exit(1);
}
const at = process.argv.indexOf('--base');
const base = at < 0 ? '/' : process.argv[at + 1];
await build(here, { base });
const faults = faultsOf(`${here}build/html`, base);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log('The site is in site/build/html: npm run preview --prefix site shows it.');
