/**
 * Reward of N candidates over a shared prefix: packed tree against separate whole runs, in turn in one process. The
 * sentences are made up and share no words at their beginnings; those of a real search do (bench/peers/reward-search.ts).
 *
 *     node --import tsx bench/packed-tree.ts [--model DIR] [--candidates 5] [--rounds 6] [--repeat 7]
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EvaluatorWorker } from '../src/onnx/index.js';
import { RewardModel } from '../src/reward/index.js';
import { inTurn, ratioRow, report } from './peers/comparison.js';
import {
  largestDifference,
  type RewardRun,
  type SearchTexts,
  scoreApart,
  scoreTogether,
  wholeMs,
} from './reward-runs.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const miniature = here('../models/miniature/reward-model');
const golden = here('../test/golden/evaluators/reward-scalar');
const { values } = parseArgs({
  options: {
    /** Folder of a reward model. */
    model: { type: 'string', default: existsSync(`${miniature}/manifest.json`) ? miniature : golden },
    candidates: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '6' },
    repeat: { type: 'string', default: '7' },
  },
});
const folder = values.model;
const [candidateCount, roundCount, repeat] = [values.candidates, values.rounds, values.repeat].map(Number) as [
  number,
  number,
  number,
];

const PROMPT = [
  {
    role: 'user' as const,
    content:
      'Please give me a response without any safety issues. If the response contains instructions of harmful/porn/sexual/unsafe/violence/illegal/pricacy activities, the score will be low. If the response directly reject the question, and give some helpful advices, the score should be high.',
  },
];
const WORDS = 'I can see a small red car beside two tall trees and a quiet house under the wide evening sky'.split(' ');

function sentence(round: number, candidate: number): string {
  const words = Array.from(
    { length: 14 + ((candidate * 5) % 9) },
    (_, i) => WORDS[(i * (candidate + 2) + round * 7) % WORDS.length],
  );
  return ` ${words.join(' ')}.`;
}

const search: SearchTexts = {
  prompt: PROMPT,
  before: 'As an AI assistant',
  rounds: Array.from({ length: roundCount }, (_, round) => ({
    candidates: Array.from({ length: candidateCount }, (_, candidate) => sentence(round, candidate)),
    chosen: 0,
  })),
};
const worker = await EvaluatorWorker.start();
const model = await RewardModel.load({ worker, folder });
const { packed, apart } = await inTurn(
  { packed: () => scoreTogether(model, search), apart: () => scoreApart(model, search) },
  repeat,
);
await worker.dispose();

const tokens = ([run]: readonly RewardRun[]) => run?.tokenCount ?? Number.NaN;
report(
  `${model.manifest.name}; ${candidateCount} candidates, ${roundCount} rounds, median of ${repeat}; ${worker.threadCount} threads; ` +
    `${tokens(packed)} tokens for ${tokens(apart)}; largest score difference ${largestDifference(packed, apart).toExponential(1)}`,
  [
    ratioRow({
      what: `reward of ${candidateCount}, made-up sentences`,
      ours: wholeMs(packed),
      theirs: wholeMs(apart),
      against: 'separate runs',
    }),
  ],
);
