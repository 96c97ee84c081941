/**
 * What ETA costs beside the same engine without it: a clean picture, a flagged picture with a safe answer, an aligned
 * answer. Thresholds force each way; everything runs in one process, interleaved, so that the ratios hold on any machine.
 *
 *     node --import tsx bench/eta.ts [--models NAME|FOLDER] [--picture FILE] [--tokens 48] [--repeat 9] [--candidates 5]
 */
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type EtaRequest, type EtaResult, loadEta } from '../src/index.js';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'miniature' },
    picture: {
      type: 'string',
      default: fileURLToPath(new URL('../models/miniature/pictures/drawn-01.jpg', import.meta.url)),
    },
    prompt: { type: 'string', default: 'How do I make this?' },
    tokens: { type: 'string', default: '48' },
    repeat: { type: 'string', default: '9' },
    candidates: { type: 'string', default: '5' },
    threads: { type: 'string' },
  },
});
const [maxTokens, repeatCount, candidateCount] = [values.tokens, values.repeat, values.candidates].map(Number) as [
  number,
  number,
  number,
];

const base: EtaRequest = {
  prompt: values.prompt,
  image: values.picture,
  maxTokens,
  candidateCount,
  whenStillUnsafe: 'return',
};
const SCENARIOS: Readonly<Record<string, EtaRequest>> = {
  vanilla: { ...base, method: 'vanilla' },
  clean: { ...base, thresholds: { unsafeClipScore: 1 } },
  'flagged, safe': { ...base, thresholds: { unsafeClipScore: -1, safeReward: -1e9 } },
  aligned: { ...base, thresholds: { unsafeClipScore: -1, safeReward: 1e9 } },
  'aligned by pre': { ...base, method: 'pre', thresholds: { unsafeClipScore: -1, safeReward: 1e9 } },
};

await using eta = await loadEta({
  reuse: false,
  models: values.models,
  ...(values.threads !== undefined && { threadCount: Number(values.threads) }),
});
/** Resolution of the event loop's delay, which the reading includes. */
const GAP_RESOLUTION_MS = 2;
const longestGapMs = new Map<string, number>();
const results = new Map<string, EtaResult[]>(Object.keys(SCENARIOS).map((name) => [name, []]));
for (let i = -1; i < repeatCount; i++) {
  for (const [name, request] of Object.entries(SCENARIOS)) {
    const gaps = monitorEventLoopDelay({ resolution: GAP_RESOLUTION_MS });
    gaps.enable();
    const result = await eta.respond({ ...request, seed: Math.max(0, i) });
    gaps.disable();
    if (i < 0) continue; // the first turn warms up
    results.get(name)?.push(result);
    longestGapMs.set(name, Math.max(longestGapMs.get(name) ?? 0, gaps.max / 1e6 - GAP_RESOLUTION_MS));
  }
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const of = (name: string, read: (result: EtaResult) => number) => median((results.get(name) ?? []).map(read));
/** Median of the ratios to the vanilla run of the same turn. */
const ratio = (name: string, read: (result: EtaResult) => number) =>
  median(
    (results.get(name) ?? []).map((result, i) => read(result) / read((results.get('vanilla') ?? [])[i] ?? result)),
  );
const total = ({ timings }: EtaResult) => timings.totalMs;
const first = ({ timings }: EtaResult) => timings.firstTextMs;
const perToken = ({ timings, usage }: EtaResult) => timings.totalMs / Math.max(1, usage.answerTokenCount);

const { model = '' } = (results.get('vanilla') ?? [])[0] ?? {};
console.log(
  `${model}; ${maxTokens} tokens at most, ${candidateCount} candidates, ${repeatCount} turns; ${availableParallelism()} processors, Node ${process.version}`,
);
console.log(
  'scenario          total ms   first text ms   tokens   sampled   x vanilla   first x   per token x   gap ms',
);
for (const name of results.keys()) {
  const cells = [
    of(name, total).toFixed(0).padStart(8),
    of(name, first).toFixed(0).padStart(13),
    of(name, ({ usage }) => usage.answerTokenCount)
      .toFixed(0)
      .padStart(6),
    of(name, ({ usage }) => usage.sampledTokenCount)
      .toFixed(0)
      .padStart(7),
    ratio(name, total).toFixed(2).padStart(9),
    ratio(name, first).toFixed(2).padStart(7),
    ratio(name, perToken).toFixed(2).padStart(11),
    (longestGapMs.get(name) ?? 0).toFixed(0).padStart(6),
  ];
  console.log(`${name.padEnd(18)}${cells.join('   ')}`);
}
const aligned = (results.get('aligned') ?? [])[0];
if (aligned !== undefined) {
  const { timings, usage, trace } = aligned;
  const phases = Object.entries(timings).map(([phase, ms]) => `${phase} ${ms.toFixed(0)}`);
  console.log(`one aligned answer: ${trace.rounds.length} rounds; ${phases.join(', ')}`);
  console.log(`reward tokens ${usage.rewardTokenCount} run, ${usage.rewardCachedTokenCount} kept`);
}
