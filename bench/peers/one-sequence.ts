/**
 * Tokens of one sequence, one after another: ours against llama-bench's `tg`, a process each turn. Ours draws them,
 * greedily, through the scheduler that serves every request; llama-bench decodes tokens of its own choice.
 *
 *     node --import tsx bench/peers/one-sequence.ts [--model 160m|1.1b|7b] [--weights q8_0] [--tokens 64] [--repeat 7]
 *                                                   [--threads N] [--folder DIR]
 */
import { Model } from '../../src/engine/index.js';
import { tokenRow } from '../engine-model.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { llamaBench } from './llama-bench.js';
import { described, filesOf, modelName, settings } from './settings.js';

const options = settings({ model: '160m', tokens: 64 });
const { tokens, repeat, threadCount } = options;
const { languageModel } = await filesOf(options);
await using model = await Model.load({ modelPath: languageModel, threadCount });
await using context = await model.createContext({ contextSize: 1024, sequenceCount: 1 });

async function ours(): Promise<number> {
  await using lease = await context.reserve({ cellCount: tokens + 1, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([tokenRow(model, 1)]);
  const startedAt = performance.now();
  const decoded = await sequence.decode({ sampler: { temperature: 0 }, maxTokens: tokens });
  return (performance.now() - startedAt) / decoded.tokens.length;
}

const times = await inTurn(
  { ours, theirs: async () => 1000 / llamaBench(languageModel, ['-p', '0', '-n', String(tokens)], threadCount) },
  repeat,
);
report(`${described(options)}; ${tokens} tokens`, [
  ratioRow({
    what: `${modelName(options)}: one sequence, a token`,
    ...times,
    against: "llama-bench's",
    atMost: 1.05,
    digits: 2,
  }),
]);
