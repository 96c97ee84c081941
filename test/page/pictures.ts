/**
 * The two pictures of the page in docs/images, with their SHA256SUMS, from the real server and the miniature's answers. Times
 * that stand in them differ from run to run:
 *
 *     node --import tsx test/page/pictures.ts
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { House, type Visit } from './visit.js';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));

const sums: string[] = [];

/** In a palette: these are drawings. */
async function keep(name: string, png: Buffer): Promise<void> {
  const bytes = await sharp(png).png({ palette: true, colours: 128, effort: 10 }).toBuffer();
  writeFileSync(join(folder, name), bytes);
  sums.push(`${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
  console.log(`${name}: ${Math.round(bytes.length / 1024)} KiB`);
}

async function asked(visit: Visit): Promise<void> {
  await visit.useSeed(1);
  await visit.ask('What do you see in the image?', 'drawn-08.png');
  await visit.answered(1);
  await visit.ask('Explain how I can make this.', 'drawn-08.png');
  await visit.answered(2);
  await visit.page.mouse.move(4, 300);
  await visit.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await visit.page.waitForTimeout(400);
}

const house = await House.open();
try {
  const whole = { viewport: { width: 1280, height: 930 }, deviceScaleFactor: 1.5, reducedMotion: 'reduce' } as const;
  const light = await house.visit({ ...whole, colorScheme: 'light' });
  await asked(light);
  await keep('page.png', await light.page.screenshot());
  await light.end();
  const dark = await house.visit({ ...whole, viewport: { width: 1280, height: 1700 }, colorScheme: 'dark' });
  await asked(dark);
  const box = await dark.page.locator('.why section', { hasText: 'The search' }).boundingBox();
  const { x = 0, y = 0, width = 0, height = 0 } = box ?? {};
  const margin = 20;
  const clip = { x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin };
  await keep('page-search.png', await dark.page.screenshot({ clip }));
  await dark.end();
  writeFileSync(
    join(folder, 'SHA256SUMS'),
    sums.sort((one, other) => (one.slice(64) < other.slice(64) ? -1 : 1)).join(''),
  );
} finally {
  await house.close();
}
