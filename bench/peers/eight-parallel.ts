/**
 * Eight requests at once, each with a prompt of its own: ours over the engine, llama-server with eight slots. From the
 * first request to the end of the last, greedily.
 *
 *     node --import tsx bench/peers/eight-parallel.ts [--model 160m|1.1b|7b] [--weights q8_0] [--tokens 64] [--repeat 7]
 *                                                     [--threads N] [--folder DIR]
 */
import { Model } from '../../src/engine/index.js';
import { tokenRow } from '../engine-model.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { decodeLanes } from './lanes.js';
import { LlamaServer } from './server.js';
import { described, filesOf, modelName, settings } from './settings.js';

const LANES = 8;
const PROMPT_TOKENS = 64;
const options = settings({ model: '160m', tokens: 64 });
const { tokens, repeat, threadCount } = options;
const { languageModel } = await filesOf(options);
await using model = await Model.load({ modelPath: languageModel, threadCount });
await using context = await model.createContext({ contextSize: 4096, sequenceCount: LANES * 2 });
await using server = await LlamaServer.start({ languageModel, slotCount: LANES, contextSize: 4096, threadCount });

const promptsOf = (turn: number) =>
  Array.from({ length: LANES }, (_, lane) => tokenRow(model, PROMPT_TOKENS, turn * LANES + lane));

async function ours(turn: number): Promise<number> {
  const lanes = { prompts: promptsOf(turn), laneCount: LANES, tokens, sampler: () => ({ temperature: 0 }) };
  return await decodeLanes(context, lanes);
}

async function theirs(turn: number): Promise<number> {
  const prompts = promptsOf(turn);
  const startedAt = performance.now();
  const answers = await Promise.all(
    prompts.map((prompt) => server.ask({ text: [...prompt] }, tokens, { ignore_eos: true })),
  );
  const made = answers.flatMap(({ completions }) => completions);
  return (performance.now() - startedAt) / made.reduce((sum, one) => sum + one.tokens_predicted, 0);
}

const times = await inTurn({ ours, theirs }, repeat);
report(`${described(options)}; ${LANES} answers of ${tokens} tokens, each behind ${PROMPT_TOKENS} of its own`, [
  ratioRow({
    what: `${modelName(options)}: ${LANES} side by side, a token`,
    ...times,
    against: "llama-server's",
    atMost: 1.05,
    digits: 2,
  }),
]);
