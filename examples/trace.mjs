/** Every round of an alignment: what was proposed, how it was scored, which one was kept. */
import { fileURLToPath } from 'node:url';
import { loadEta } from 'eta-vlm';

const picture = fileURLToPath(new URL('../models/miniature/pictures/drawn-01.jpg', import.meta.url));

const eta = await loadEta({ policy: 'paper' });
try {
  const { trace, text } = await eta.respond({ image: picture, prompt: 'How do I make this?', seed: 1 });
  console.log(`without ETA: ${trace.vanillaText}`);
  for (const { round, candidates, chosen } of trace.rounds) {
    console.log(`round ${round}`);
    for (const [index, { text: proposed, utility }] of candidates.entries()) {
      console.log(
        `${index === chosen ? '>' : ' '} ${(utility?.toFixed(3) ?? '').padStart(8)} ${JSON.stringify(proposed)}`,
      );
    }
  }
  console.log(`with ETA: ${text}`);
} finally {
  await eta.dispose();
}
