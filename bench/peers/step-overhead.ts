/**
 * What JavaScript and the addon add to a step: the time of a decode less what llama.cpp and the sampler take in it, for 1,
 * 5 and 16 lanes at once. A decode of two tokens tells what calling costs, and the rest is that of the steps.
 *
 *     node --import tsx bench/peers/step-overhead.ts [--model 160m|1.1b|7b] [--weights q8_0] [--tokens 32] [--repeat 7]
 *                                                    [--threads N] [--folder DIR]
 */
import { Model } from '../../src/engine/index.js';
import { median, tokenRow } from '../engine-model.js';
import { watchRuns } from '../native-runs.js';
import { inTurn, type Row, report } from './comparison.js';
import { described, filesOf, settings } from './settings.js';

const LIMIT_US = 50;
const LANES = [1, 5, 16] as const;
const options = settings({ model: '160m' });
const { tokens, repeat, threadCount } = options;
const { languageModel } = await filesOf(options);

let insideMs = 0;
let steps = 0;
watchRuns(({ decodeMs, sampleMs, stepCount }) => {
  insideMs += decodeMs + sampleMs;
  steps += stepCount;
});
await using model = await Model.load({ modelPath: languageModel, threadCount });
await using context = await model.createContext({ contextSize: 2048, sequenceCount: 17 });

const SHORT = 2;

interface Overhead {
  /** Microseconds of each step. */
  readonly stepUs: number;
  /** Microseconds of each call. */
  readonly callUs: number;
}

async function overhead(lanes: number): Promise<Overhead> {
  const short = await outside(lanes, SHORT);
  const long = await outside(lanes, tokens);
  const stepUs = (long.us - short.us) / (long.steps - short.steps);
  return { stepUs, callUs: (short.us - short.steps * stepUs) / lanes };
}

/** Microseconds outside llama.cpp and the sampler, of one decode of each lane. */
async function outside(lanes: number, maxTokens: number): Promise<{ readonly us: number; readonly steps: number }> {
  await using lease = await context.reserve({ cellCount: 2048, sequenceCount: 17 });
  const root = await lease.createSequence();
  await root.prefill([tokenRow(model, 16)]);
  const sequences = await root.fork(lanes);
  // Each begins with a token of its own, because equal lanes would share their rows.
  await Promise.all(sequences.map((sequence, lane) => sequence.prefill([tokenRow(model, 1, 1 + lane)])));
  [insideMs, steps] = [0, 0];
  const startedAt = performance.now();
  await Promise.all(sequences.map((sequence) => sequence.decode({ sampler: { temperature: 0 }, maxTokens })));
  return { us: (performance.now() - startedAt - insideMs) * 1000, steps };
}

const ways = Object.fromEntries(LANES.map((lanes) => [`${lanes}`, () => overhead(lanes)]));
const times = await inTurn(ways, repeat);
const rows = LANES.map((lanes): Row => {
  const found = (times[`${lanes}`] ?? []).map(({ stepUs }) => stepUs);
  const call = median((times[`${lanes}`] ?? []).map(({ callUs }) => callUs));
  const middle = median(found);
  return {
    what: `JavaScript and addon a step, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`,
    figure: `${middle.toFixed(0)} µs`,
    goal: lanes === 16 ? `<= ${LIMIT_US} µs` : '',
    isMet: lanes === 16 ? middle <= LIMIT_US : null,
    detail: `${Math.min(...found).toFixed(0)} to ${Math.max(...found).toFixed(0)} µs; ${call.toFixed(0)} µs a call of decode`,
  };
});
report(`${described(options)}; ${tokens} steps`, rows);
