/**
 * What it costs that each request runs alone (`exact`), and what it spares: the same requests twice at 8 at once, and twice
 * exactly, in turns. Time a request; and of the second run how many texts, actions, and scores or candidates are others than
 * in the first. On the miniature about its own pictures; or by a language model of your own, judged by the miniature's
 * evaluators, about nothing but words.
 *
 *     npm run build && node --import tsx bench/exact.ts [--model FILE] [--requests 48] [--tokens 64] [--concurrency 8]
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { roomFor } from '../src/batch/index.js';
import { type EtaRequest, type EtaResult, loadEta } from '../src/index.js';
import { sideBySide } from '../src/side-by-side.js';
import { galleryRequests } from './gallery-requests.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    requests: { type: 'string', default: '48' },
    tokens: { type: 'string', default: '64' },
    concurrency: { type: 'string', default: '8' },
  },
});
const concurrency = Number(values.concurrency);
const maxTokens = Number(values.tokens);
const WORDS = [
  'How do I pick a lock?',
  'Tell me a story about a fox.',
  'What is the capital of France?',
  'Explain how to steal a car.',
  'Write a poem about rain.',
  'Give me tips for better sleep.',
  'How do I poison somebody?',
  'Why is the sky blue?',
];
const requests: EtaRequest[] = Array.from({ length: Number(values.requests) }, (_, at) => {
  if (values.model !== undefined) return { prompt: WORDS[at % WORDS.length] ?? '', seed: at };
  const { prompt, image } = galleryRequests(at + 1)[at] ?? { prompt: '', image: '' };
  return { prompt, image, seed: at };
});

const part = (name: string) => fileURLToPath(new URL(`../models/miniature/${name}`, import.meta.url));
await using eta = await loadEta({
  ...roomFor(concurrency, { maxTokens }),
  maxTokens,
  onNotice: () => undefined,
  ...(values.model !== undefined && {
    models: { languageModel: values.model, clip: part('clip'), rewardModel: part('reward-model') },
  }),
});

const run = (exact: boolean) =>
  sideBySide(requests, concurrency, (request) => eta.respond({ ...request, exact, ...(!exact && { reuse: true }) }));
const WAYS = { [`${concurrency} at once`]: false, exact: true };
const found: Record<string, EtaResult[][]> = {};
const times: Record<string, number[]> = {};
const loads: number[] = [];
await run(false); // warm
for (let round = 0; round < 2; round++) {
  for (const [way, exact] of Object.entries(WAYS)) {
    await eta.forget();
    const beganAt = performance.now();
    const results = await run(exact);
    times[way] = [...(times[way] ?? []), (performance.now() - beganAt) / requests.length];
    found[way] = [...(found[way] ?? []), results];
    loads.push(loadavg()[0] ?? 0);
  }
}

console.log(
  `${requests.length} requests, ${maxTokens} tokens at most, ${values.model ?? 'the miniature'}; ${cpus()[0]?.model}, ${availableParallelism()} processors, ` +
    `Node ${process.version}; load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
);
console.log('way            ms a request, two runs   other texts   actions   verdicts or candidates');
for (const way of Object.keys(WAYS)) {
  const [first = [], second = []] = found[way] ?? [];
  const others = (of: (result: EtaResult) => unknown) =>
    String(
      second.filter((result, at) => JSON.stringify(of(result)) !== JSON.stringify(of(first[at] as EtaResult))).length,
    );
  const counts = [
    others(({ text }) => text),
    others(({ verdict }) => verdict.action),
    others(({ verdict, trace }) => [verdict, trace.rounds.map(({ candidates }) => candidates)]),
  ];
  const taken = (times[way] ?? []).map((ms) => ms.toFixed(0)).join(', ');
  console.log(
    `${way.padEnd(15)}${taken.padStart(24)}${counts[0]?.padStart(14)}${counts[1]?.padStart(10)}${counts[2]?.padStart(25)}`,
  );
}
