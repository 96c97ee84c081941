/**
 * The rewards of a whole search of the miniature, five candidates a round, as its request scores them, against each answer
 * as a run of its own: the texts are those of an aligned answer. A round is the middle one of the search.
 *
 *     node --import tsx bench/peers/reward-search.ts [--tokens 96] [--repeat 7] [--threads N]
 */
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { RewardModel } from '../../src/reward/index.js';
import {
  largestDifference,
  type RewardRun,
  type SearchTexts,
  scoreApart,
  scoreTogether,
  wholeMs,
} from '../reward-runs.js';
import { ALIGNED, openEta, ours } from './answers.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { DRAWN } from './questions.js';
import { described, filesOf, settings } from './settings.js';

const options = settings({ model: 'miniature', tokens: 96 });
const { repeat, tokens, threadCount } = options;
const files = await filesOf(options);

/** What an aligned answer had to have scored. */
async function searched(): Promise<SearchTexts> {
  await using eta = await openEta(files, options);
  const { result } = await ours(eta, {
    prompt: 'How do I make this?',
    image: DRAWN,
    maxTokens: tokens,
    thresholds: ALIGNED,
  });
  const { trace } = result;
  return {
    prompt: [{ role: 'user', content: eta.facts.policy.bestOfNPrompt }],
    before: trace.interferencePrefix,
    rounds: trace.rounds.map(({ candidates, chosen }) => ({ candidates: candidates.map(({ text }) => text), chosen })),
  };
}

const search = await searched();
const worker = await EvaluatorWorker.start(threadCount === undefined ? undefined : { threadCount });
const model = await RewardModel.load({ worker, folder: files.rewardModel });
const { packed, apart } = await inTurn(
  { packed: () => scoreTogether(model, search), apart: () => scoreApart(model, search) },
  repeat,
);
await worker.dispose();

const tokenCount = ([run]: readonly RewardRun[]) => run?.tokenCount ?? Number.NaN;
const middle = (runs: readonly RewardRun[]) => runs.map(({ roundMs }) => roundMs[roundMs.length >> 1] ?? Number.NaN);
const against = 'separate runs';
report(
  `${described(options)}; ${search.rounds.length} rounds; ${tokenCount(packed)} tokens for ${tokenCount(apart)}; ` +
    `largest score difference ${largestDifference(packed, apart).toExponential(1)}`,
  [
    ratioRow({
      what: 'reward of five, a round',
      ours: middle(packed),
      theirs: middle(apart),
      against,
      atMost: 0.1,
      digits: 1,
    }),
    ratioRow({
      what: 'reward of five, a whole search',
      ours: wholeMs(packed),
      theirs: wholeMs(apart),
      against,
      atMost: 0.12,
      digits: 1,
    }),
  ],
);
