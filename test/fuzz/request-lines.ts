/**
 * Lines of a batch that are nearly requests. The reader and the check of a request take each: a request or an error of ours,
 * within a bounded time. One in {@link THROUGH_BATCH} goes through a whole batch, which gives one line for each.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResultsFile, readAnswers, readRequests, runBatch, settingsOf } from '../../src/batch/index.js';
import { parseRequestLine } from '../../src/batch/request-line.js';
import { parseRequest } from '../../src/eta/request.js';
import type { Eta } from '../../src/index.js';
import { CLEAN, loadTiny, pictures } from '../eta/tiny.js';
import { type Fuzz, type FuzzOptions, type FuzzResult, seedsOf } from './fuzz.js';
import { Random } from './random.js';
import { mutatedLine, mutatedRequest } from './request-mutation.js';
import { RAW, Tally } from './tally.js';
import { tryWithin } from './within-process.js';

const THROUGH_BATCH = 20;
const SLOW_MS = 2000;
const picture = pictures[0];

const SOUND: readonly unknown[] = [
  { id: 'a', prompt: 'What is this?', image: picture, method: 'vanilla', maxTokens: 3 },
  { prompt: 'Which?', images: [picture, picture], seed: 7, stop: ['a', 'b'], method: 'vanilla', maxTokens: 2 },
  {
    id: 3,
    turns: [{ role: 'user', text: 'Hi', images: [picture] }],
    thresholds: CLEAN,
    maxTokens: 2,
    candidateCount: 2,
  },
  {
    id: 'talk',
    method: 'vanilla',
    maxTokens: 2,
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: picture } },
          { type: 'text', text: 'What?' },
        ],
      },
      { role: 'assistant', content: 'A square.' },
      { role: 'user', content: 'Sure?' },
    ],
  },
  {
    custom_id: 'openai',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'any', max_tokens: 2, messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }] }] },
  },
  { question_id: 7, image: picture, text: 'Where?', category: 'place', method: 'vanilla', maxTokens: 2 },
];

function line(seed: number): Buffer {
  const random = new Random(seed);
  const sound = random.of(SOUND) as Record<string, unknown>;
  const ids = Object.keys(sound).filter((name) => ['id', 'custom_id', 'question_id'].includes(name));
  const own = { ...sound, ...Object.fromEntries(ids.map((name) => [name, seed])) }; // each once in a batch
  return mutatedLine(mutatedRequest(own, random, random.of([0.01, 0.04, 0.12])), random);
}

/** What becomes of a line before it is answered. */
function readOutcome(bytes: Buffer, { facts }: Eta): string {
  const startedAt = performance.now();
  const read = parseRequestLine(
    { number: 1, offset: 0, bytes, byteCount: bytes.length, endsInNewline: true },
    { folder: '/' },
  );
  if ('error' in read) return told(read.error);
  const { thresholds, thresholdSources, calibratedOn, policy } = facts;
  const values = { thresholds, thresholdSources, calibratedOn, policy, reuse: true, newSeed: () => 1 };
  parseRequest(read.request, values as never);
  const ms = performance.now() - startedAt;
  return ms > SLOW_MS ? `${RAW}${Math.round(ms)} ms` : 'request';
}

/** What a line of answers says of an error; of one that was not expected, its words. */
function told({ code, message }: { readonly code: string; readonly message: string }): string {
  return code === 'ERR_UNEXPECTED' ? `${RAW}${message}` : code;
}

export async function fuzzRequestLines(eta: Eta, options: FuzzOptions): Promise<FuzzResult> {
  const tally = new Tally();
  await tryWithin(tally, options, (seed) => readOutcome(line(seed), eta));
  await throughBatch(
    eta,
    seedsOf(options).filter((seed) => seed % THROUGH_BATCH === 0),
    tally,
  );
  return tally.result(options.count);
}

export const requestLines: Fuzz = {
  name: 'request-lines',
  count: 10_000,
  async run(options) {
    await using eta = await loadTiny({ contextSize: 4096, sequenceCount: 24 });
    return await fuzzRequestLines(eta, options);
  },
};

async function throughBatch(eta: Eta, seeds: readonly number[], tally: Tally): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-fuzz-'));
  try {
    const [requests, path] = [join(folder, 'requests.jsonl'), join(folder, 'answers.jsonl')];
    writeFileSync(requests, Buffer.concat(seeds.flatMap((seed) => [line(seed), Buffer.from('\n')])));
    const settings = await settingsOf(eta.facts, { seed: 1 });
    {
      await using results = await ResultsFile.open({ path, settings });
      await runBatch({ eta, requests: readRequests(requests), results, concurrency: 4 });
    }
    const times = new Map<number, number>();
    for await (const { line: number, error } of readAnswers(path)) {
      const seed = seeds[number - 1] ?? Number.NaN;
      times.set(seed, (times.get(seed) ?? 0) + 1);
      const outcome = error === null ? 'answered' : told(error);
      tally.add(seed, outcome.startsWith(RAW) ? `${outcome} (in a batch)` : `batch: ${outcome}`);
    }
    for (const seed of seeds) {
      const isAsked = /\S/.test(line(seed).toString('latin1'));
      const count = times.get(seed) ?? 0;
      if (isAsked && count !== 1)
        tally.fault(seed, `told ${count} times in a batch: ${line(seed).toString('latin1').slice(0, 200)}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
