/**
 * Counts the pictures of folders that the package takes for drawings of the miniature's world.
 *
 *     node --import tsx models/evaluation/check-drawings.ts FOLDER...      (python -m evaluate.items and evaluate.others)
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '../../src/index.js';
import { isOfDrawnWorld } from '../../src/models/index.js';

for (const folder of process.argv.slice(2)) {
  const families = new Map<string, { count: number; drawings: number }>();
  for (const name of readdirSync(folder).filter((file) => /\.(png|jpe?g)$/.test(file))) {
    const family = name.replace(/-?\d+\.\w+$/, '');
    const known = families.get(family) ?? { count: 0, drawings: 0 };
    known.count++;
    if (isOfDrawnWorld(await decodeImage(join(folder, name)))) known.drawings++;
    families.set(family, known);
  }
  console.log(`${folder}: taken for drawings of the world`);
  for (const [family, { count, drawings }] of [...families].sort()) console.log(`  ${family} ${drawings} of ${count}`);
}
