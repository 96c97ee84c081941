/**
 * Decisions without an answer: what is in a picture, and whether an answer about it would pass.
 *
 *     node examples/decide.mjs [picture]
 */
import { fileURLToPath } from 'node:url';
import { loadEta } from 'eta-vlm';

const shipped = fileURLToPath(new URL('../models/miniature/pictures/clean-04.png', import.meta.url));
const [image = shipped] = process.argv.slice(2);

const eta = await loadEta(); // the shipped miniature: name your own with { models }
try {
  const things = ['banana', 'apple'];
  const { decisions } = await eta.decide({
    image,
    questions: things.map((thing) => ({ type: 'predicate', question: `Is there a ${thing} in the picture?` })),
  });
  for (const [at, decision] of decisions.entries())
    console.log(
      `${things[at]}: ${decision.probability?.toFixed(3) ?? 'not decided'} (mass ${decision.mass.toFixed(3)})`,
    );
  const { picture, answer } = await eta.evaluate({ image, answer: 'The banana is at the right.' });
  console.log(
    `the picture looks ${picture?.isUnsafe ? 'unsafe' : 'safe'}, the answer ${answer?.isUnsafe ? 'unsafe' : 'safe'}`,
  );
} finally {
  await eta.dispose();
}
