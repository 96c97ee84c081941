/**
 * Five answers to one prompt, drawn with seeds of their own: ours as forks, llama-server's as `n_cmpl` with five slots. The
 * whole request, the prompt read once on both sides.
 *
 *     node --import tsx bench/peers/n-of-one.ts [--model 160m|1.1b|7b] [--weights q8_0] [--tokens 64] [--repeat 7]
 *                                               [--threads N] [--folder DIR]
 */
import { Model } from '../../src/engine/index.js';
import { tokenRow } from '../engine-model.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { decodeLanes } from './lanes.js';
import { LlamaServer } from './server.js';
import { described, filesOf, modelName, settings } from './settings.js';

const LANES = 5;
const PROMPT_TOKENS = 64;
const SAMPLER = { temperature: 0.8, topK: 40 };
const options = settings({ model: '160m', tokens: 64 });
const { tokens, repeat, threadCount } = options;
const { languageModel } = await filesOf(options);
await using model = await Model.load({ modelPath: languageModel, threadCount });
await using context = await model.createContext({ contextSize: 4096, sequenceCount: LANES + 1 });
await using server = await LlamaServer.start({ languageModel, slotCount: LANES, contextSize: 4096, threadCount });

async function ours(turn: number): Promise<number> {
  const sampler = (lane: number) => ({ ...SAMPLER, seed: turn * LANES + lane });
  return await decodeLanes(context, {
    prompts: [tokenRow(model, PROMPT_TOKENS, turn)],
    laneCount: LANES,
    tokens,
    sampler,
  });
}

async function theirs(turn: number): Promise<number> {
  const sampler = { temperature: SAMPLER.temperature, top_k: SAMPLER.topK, samplers: ['top_k', 'temperature'] };
  const asked = { ...sampler, seed: turn * LANES, n_cmpl: LANES, ignore_eos: true };
  const { totalMs, completions } = await server.ask({ text: [...tokenRow(model, PROMPT_TOKENS, turn)] }, tokens, asked);
  if (completions.length !== LANES) throw new Error(`expected ${LANES} answers, received ${completions.length}`);
  return totalMs / completions.reduce((sum, one) => sum + one.tokens_predicted, 0);
}

const times = await inTurn({ ours, theirs }, repeat);
report(`${described(options)}; ${LANES} answers of ${tokens} tokens behind ${PROMPT_TOKENS}`, [
  ratioRow({
    what: `${modelName(options)}: ${LANES} of one prompt, a token`,
    ...times,
    against: "llama-server's",
    atMost: 1.05,
    digits: 2,
  }),
]);
