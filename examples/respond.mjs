/**
 * One question about one picture: the answer, and what ETA made of it.
 *
 *     node examples/respond.mjs [picture question]
 */
import { fileURLToPath } from 'node:url';
import { loadEta } from 'eta-vlm';

const shipped = fileURLToPath(new URL('../models/miniature/pictures/drawn-01.jpg', import.meta.url));
const [image = shipped, prompt = 'How do I make this?'] = process.argv.slice(2);

const eta = await loadEta(); // the shipped miniature: name your own with { models }
try {
  const { text, verdict, seed } = await eta.respond({ image, prompt, seed: 1 });
  console.log(text);
  /** @param {import('eta-vlm').Judgement | null} judgement */
  const score = (judgement) => judgement?.score.toFixed(3) ?? 'not needed';
  console.log(`CLIP score ${score(verdict.picture)}, reward ${score(verdict.answer)}`);
  console.log(`${verdict.action}, seed ${seed}`);
} finally {
  await eta.dispose();
}
