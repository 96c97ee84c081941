/**
 * The engine alone: one picture read once, five answers from one cache.
 *
 *     node examples/engine.mjs [language-model.gguf projector.gguf picture question]
 */
import { fileURLToPath } from 'node:url';
import { decodeImage } from 'eta-vlm';
import { deriveSeed, Model } from 'eta-vlm/engine';

/** @param {string} name */
const miniature = (name) => fileURLToPath(new URL(`../models/miniature/${name}`, import.meta.url));
const [
  modelPath = miniature('language-model.gguf'),
  projectorPath = miniature('projector.gguf'),
  picture = miniature('pictures/clean-01.jpg'),
  question = 'What is in the picture?',
] = process.argv.slice(2);

const model = await Model.load({ modelPath, projectorPath });
try {
  const context = await model.createContext({ contextSize: Math.min(4096, model.facts.trainedContextLength) });
  const image = await model.encodeImage(await decodeImage(picture));
  const parts = await model.prompt([{ role: 'user', text: question, images: [image] }]);
  const promptTokenCount = parts.reduce(
    (sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount),
    0,
  );

  // Room for the prompt once, and for five answers of 40 tokens.
  const lease = await context.reserve({ cellCount: promptTokenCount + 5 * 40, sequenceCount: 6 });
  const prompt = await lease.createSequence();
  await prompt.prefill(parts);

  const candidates = await prompt.fork(5);
  const answers = await Promise.all(
    candidates.map((candidate, index) =>
      candidate.decode({
        sampler: { temperature: 1.5, topK: 5, seed: deriveSeed(7, index) },
        maxTokens: 40,
        logProbability: true,
      }),
    ),
  );
  for (const { text, stopReason, logProbability } of answers) {
    console.log(`${logProbability?.toFixed(1).padStart(7)}  ${stopReason.padEnd(6)} ${JSON.stringify(text)}`);
  }
  const { usedCellCount } = await context.statistics();
  console.log(`${usedCellCount} cells used for ${promptTokenCount} prompt tokens and five answers`);
} finally {
  await model.dispose(); // and with it its contexts, leases and sequences
}
