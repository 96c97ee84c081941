/** One question about one picture: the answer, and what ETA made of it. */
import { fileURLToPath } from 'node:url';
import { loadEta } from '../src/index.js'; // 'eta-vlm' in your project

const picture = fileURLToPath(new URL('../models/miniature/pictures/drawn-01.jpg', import.meta.url));

await using eta = await loadEta();
const { text, verdict, seed } = await eta.respond({ image: picture, prompt: 'How do I make this?', seed: 1 });

console.log(text);
console.log(
  `CLIP score ${verdict.picture?.score?.toFixed(3)}, reward ${verdict.answer?.score?.toFixed(3) ?? 'not needed'}`,
);
console.log(`${verdict.action}, seed ${seed}`);
