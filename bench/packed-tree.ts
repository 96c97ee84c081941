/**
 * Reward of N candidates over a shared prefix: packed tree against separate whole runs, as ratios of one process.
 *
 *     node --import tsx bench/packed-tree.ts [model folder] [candidates] [rounds]
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EvaluatorWorker } from '../src/onnx/index.js';
import { RewardModel } from '../src/reward/index.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const miniature = here('../models/miniature/reward-model');
const folder =
  process.argv[2] ??
  (existsSync(`${miniature}/manifest.json`) ? miniature : here('../test/golden/evaluators/reward-scalar'));
const candidateCount = Number(process.argv[3] ?? 5);
const roundCount = Number(process.argv[4] ?? 6);

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

const worker = await EvaluatorWorker.start();
const model = await RewardModel.load({ worker, folder });
await model.score(PROMPT, 'warm');

async function packed(): Promise<{ ms: number; scores: number[][]; ran: number }> {
  const startedAt = performance.now();
  const session = model.open(PROMPT);
  session.accept('As an AI assistant');
  const scores: number[][] = [];
  for (let round = 0; round < roundCount; round++) {
    const sentences = Array.from({ length: candidateCount }, (_, k) => sentence(round, k));
    scores.push(await session.score(sentences));
    session.accept(sentences[0] ?? '');
  }
  const ran = session.statistics.ranTokenCount;
  session.close();
  return { ms: performance.now() - startedAt, scores, ran };
}

/** Each answer whole, from its first token: a prompt of its own each time would be the same work, so the cache is left empty. */
async function separate(): Promise<{ ms: number; scores: number[][]; ran: number }> {
  let accepted = 'As an AI assistant';
  let ran = 0;
  let ms = 0;
  const scores: number[][] = [];
  for (let round = 0; round < roundCount; round++) {
    const row: number[] = [];
    for (let k = 0; k < candidateCount; k++) {
      const fresh = await RewardModel.load({ worker, folder, verifyHashes: false });
      const session = fresh.open([...PROMPT]);
      const startedAt = performance.now();
      row.push((await session.score([accepted + sentence(round, k)]))[0] ?? Number.NaN);
      ms += performance.now() - startedAt;
      ran += session.statistics.ranTokenCount;
      await fresh.dispose();
    }
    scores.push(row);
    accepted += sentence(round, 0);
  }
  return { ms, scores, ran };
}

const tree = await packed();
const alone = await separate();
const difference = Math.max(
  ...tree.scores.flatMap((row, r) => row.map((score, k) => Math.abs(score - (alone.scores[r]?.[k] ?? Number.NaN)))),
);
console.log(
  `${model.manifest.name}; ${candidateCount} candidates, ${roundCount} rounds; ${worker.threadCount} threads on ${availableParallelism()} processors; Node ${process.version}`,
);
console.log(`packed tree    ${tree.ms.toFixed(0)} ms, ${tree.ran} tokens`);
console.log(`separate runs  ${alone.ms.toFixed(0)} ms, ${alone.ran} tokens`);
console.log(
  `time ratio ${(alone.ms / tree.ms).toFixed(1)}, token ratio ${(alone.ran / tree.ran).toFixed(1)}, largest score difference ${difference.toExponential(1)}`,
);
await worker.dispose();
