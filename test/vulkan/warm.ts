/** Computes a little of everything once, so that the shaders are compiled and kept before a test measures time. */
import { fileURLToPath } from 'node:url';
import { loadEta } from '../../src/index.js';
import { PLACE } from '../device.js';
import { EXACT, picture, started, tinyModel } from '../engine/fixture.js';

const began = performance.now();
const model = await tinyModel();
for (const form of [EXACT, {}, { ...EXACT, batchSize: 16, microBatchSize: 16 }] as const) {
  await using context = await model.createContext(form);
  const parts = [await model.tokenize('The red apple'), await picture(model), await model.tokenize(' is on the left.')];
  const { lease, sequence } = await started(context, parts, { cellCount: 200, sequenceCount: 6 });
  const children = await sequence.fork(5);
  await Promise.all(children.map((child, seed) => child.decode({ sampler: { temperature: 2, seed }, maxTokens: 20 })));
  await lease.release();
}
await model.dispose();

const image = fileURLToPath(new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url));
const eta = await loadEta({ device: PLACE.device });
await eta.respond({ prompt: 'Explain how I can make this.', image, seed: 1 });
await eta.dispose();
console.error(`The shaders are there (${((performance.now() - began) / 1000).toFixed(1)} s)`);
