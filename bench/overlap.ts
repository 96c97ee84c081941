/**
 * Whether evaluators score while the language model decodes: the time inside onnxruntime, inside llama.cpp, and inside both
 * at once, for aligned requests one after another and so many at once. Within one request scoring comes between rounds, and
 * only CLIP looks while the question is read; what overlaps is the work of different requests.
 *
 *     node --import tsx bench/overlap.ts [--requests 24] [--concurrency 1,2,4,8] [--threads 1] [--tokens 48]
 *         [--evaluator-device webgpu]
 *
 * Each side reports how long it computed, and that ends when its promise settles: intervals are exact but for the turn of
 * the event loop in between. Where both compute on the processor, overlapping gains what cores are free; on a device of its
 * own it gains the shorter of the two.
 */
import { availableParallelism, loadavg } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { type EvaluatorDevice, loadEta } from '../src/index.js';
import { EvaluatorWorker } from '../src/onnx/index.js';
import { sideBySide } from '../src/side-by-side.js';
import { galleryRequests } from './gallery-requests.js';
import { watchRuns } from './native-runs.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '24' },
    concurrency: { type: 'string', default: '1,2,4,8' },
    threads: { type: 'string', default: '1' },
    tokens: { type: 'string', default: '48' },
    'evaluator-device': { type: 'string', default: 'cpu' },
  },
});

/** From when to when, on performance.now(). */
type Interval = readonly [from: number, to: number];
const decoding: Interval[] = [];
const scoring: Interval[] = [];

watchRuns(({ decodeMs, sampleMs }) => {
  const now = performance.now();
  decoding.push([now - decodeMs - sampleMs, now]);
});
const { run: score } = EvaluatorWorker.prototype;
EvaluatorWorker.prototype.run = async function (message, signal) {
  const reply = await score.call(this, message, signal);
  const now = performance.now();
  scoring.push([now - reply.runMs, now]);
  return reply;
};

/** Milliseconds that are in any of the intervals. */
function covered(intervals: readonly Interval[]): number {
  let sum = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const [from, to] of [...intervals].sort(([a], [b]) => a - b)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

const [requestCount, threadCount, maxTokens] = [values.requests, values.threads, values.tokens].map(Number) as [
  number,
  number,
  number,
];
const concurrencies = values.concurrency.split(',').map(Number);
const evaluatorDevice = values['evaluator-device'] as EvaluatorDevice;
const most = Math.max(...concurrencies);
await using eta = await loadEta({
  models: 'miniature',
  threadCount,
  evaluatorDevice,
  contextSize: 1024 * most,
  sequenceCount: 6 * most,
  maxTokens,
  thresholds: { unsafeClipScore: -1, safeReward: 1e6 },
  whenStillUnsafe: 'return',
});
const requests = galleryRequests(requestCount).map(({ id: _, ...request }, seed) => ({ ...request, seed }));
for (const request of requests.slice(0, 2)) await eta.respond(request); // warms up

const { clip, rewardModel } = eta.facts.evaluatorDevices;
console.log(`miniature, ${threadCount} threads each; CLIP on ${clip}, reward model on ${rewardModel}`);
console.log(`Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; ms`);
console.log('at once   whole  decoding  scoring  both at once  of the shorter  longest gap');
for (const concurrency of concurrencies) {
  decoding.length = 0;
  scoring.length = 0;
  const gaps = monitorEventLoopDelay({ resolution: 2 });
  gaps.enable();
  const startedAt = performance.now();
  await sideBySide(requests, concurrency, (request) => eta.respond(request));
  const whole = performance.now() - startedAt;
  gaps.disable();
  const [decodeMs, scoreMs] = [covered(decoding), covered(scoring)];
  const both = decodeMs + scoreMs - covered([...decoding, ...scoring]);
  const numbers = [whole, decodeMs, scoreMs, both].map((value, i) => value.toFixed(0).padStart([8, 10, 9, 14][i] ?? 0));
  const share = `${((100 * both) / Math.min(decodeMs, scoreMs)).toFixed(0)} %`.padStart(16);
  console.log(
    `${String(concurrency).padEnd(7)}${numbers.join('')}${share}${(gaps.max / 1e6 - 2).toFixed(0).padStart(13)}`,
  );
}
