/**
 * A prompt of 512 tokens read: ours, in steps as large as they are by default, against llama-bench's `pp512`.
 *
 *     node --import tsx bench/peers/prefill.ts [--model 160m|1.1b|7b] [--weights q8_0] [--repeat 7] [--threads N] [--folder DIR]
 */
import { Model } from '../../src/engine/index.js';
import { tokenRow } from '../engine-model.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { llamaBench } from './llama-bench.js';
import { described, filesOf, modelName, settings } from './settings.js';

const ROWS = 512;
const options = settings({ model: '160m' });
const { repeat, threadCount } = options;
const { languageModel } = await filesOf(options);
await using model = await Model.load({ modelPath: languageModel, threadCount });
await using context = await model.createContext({ contextSize: 1024, sequenceCount: 1 });

async function ours(turn: number): Promise<number> {
  await using lease = await context.reserve({ cellCount: ROWS, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  const startedAt = performance.now();
  await sequence.prefill([tokenRow(model, ROWS, turn)]);
  return performance.now() - startedAt;
}

const times = await inTurn(
  { ours, theirs: async () => (ROWS * 1000) / llamaBench(languageModel, ['-p', String(ROWS), '-n', '0'], threadCount) },
  repeat,
);
report(described(options), [
  ratioRow({
    what: `${modelName(options)}: ${ROWS} tokens of a prompt`,
    ...times,
    against: "llama-bench's",
    atMost: 1.05,
  }),
]);
