/** Loads one damaged GGUF after the other, and works with those that load. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Model } from '../../src/engine/index.js';
import { answerSeeds } from './forked-child.js';
import { FILES, GGUF_NAMES } from './gguf.js';
import { mutatedGguf } from './gguf-mutation.js';

const LINE = Int32Array.of(1, 2, 3, 4);

async function use(place: string, seed: number): Promise<string> {
  const name = GGUF_NAMES[seed % GGUF_NAMES.length] ?? 'tiny';
  const { file, languageModel } = FILES[name];
  writeFileSync(place, mutatedGguf(readFileSync(file), Math.floor(seed / GGUF_NAMES.length)));
  const paths = languageModel === null ? { modelPath: place } : { modelPath: languageModel, projectorPath: place };
  await using model = await Model.load({ ...paths, threadCount: 1 });
  if (languageModel !== null) {
    const data = new Uint8Array(64 * 64 * 3).map((_, index) => (index * 31) % 251);
    await model.encodeImage({ data, width: 64, height: 64 });
    return 'loaded';
  }
  const tokens = await model.tokenize('The red apple');
  model.text([...tokens]);
  await using context = await model.createContext({ contextSize: 256, sequenceCount: 2, batchSize: 64 });
  await using lease = await context.reserve({ cellCount: 64, sequenceCount: 2 });
  const sequence = await lease.createSequence();
  await sequence.prefill([tokens.length > 0 ? tokens : LINE]);
  await sequence.decode({ maxTokens: 4 });
  await model.prompt([{ role: 'user', text: 'a' }]);
  return 'loaded';
}

answerSeeds(use);
