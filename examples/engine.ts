/**
 * The engine alone: one picture read once, five answers from one cache.
 *
 *     npx tsx examples/engine.ts [language-model.gguf projector.gguf picture question]
 */
import { fileURLToPath } from 'node:url';
import { deriveSeed, Model } from '../src/engine/index.js'; // 'eta-vlm/engine' in your project
import { decodeImage } from '../src/image/index.js';

const tiny = (name: string) => fileURLToPath(new URL(`../test/golden/engine/${name}`, import.meta.url));
const [modelPath, projectorPath, file, question] = process.argv.slice(2);

await using model = await Model.load({
  modelPath: modelPath ?? tiny('tiny.gguf'),
  projectorPath: projectorPath ?? tiny('tiny-projector.gguf'),
});
await using context = await model.createContext({ contextSize: Math.min(4096, model.facts.trainedContextLength) });

const image = await model.encodeImage(await decodeImage(file ?? tiny('square.png')));
const parts = await model.prompt([{ role: 'user', text: question ?? 'What is in the picture?', images: [image] }]);
const promptTokenCount = parts.reduce(
  (sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount),
  0,
);

// Room for the prompt once, and for five answers of 40 tokens.
await using lease = await context.reserve({ cellCount: promptTokenCount + 5 * 40, sequenceCount: 6 });
const prompt = await lease.createSequence();
await prompt.prefill(parts);

const candidates = await prompt.fork(5);
const answers = await Promise.all(
  candidates.map((candidate, index) =>
    candidate.decode({ sampler: { temperature: 1.5, topK: 5, seed: deriveSeed(7, index) }, maxTokens: 40 }),
  ),
);
for (const { text, stopReason, logProbability } of answers) {
  console.log(`${logProbability.toFixed(1).padStart(7)}  ${stopReason.padEnd(6)} ${JSON.stringify(text)}`);
}
const { usedCellCount } = await context.statistics();
console.log(`${usedCellCount} cells used for ${promptTokenCount} prompt tokens and five answers`);
