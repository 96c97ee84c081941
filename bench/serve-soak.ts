/**
 * A server's long life: thousands of requests over real connections, several at once, with every method, whole and streamed,
 * wrong ones among them; a third of the clients leave, at once, while they wait, or in the middle of an answer. Afterwards
 * no sequence and no place may be held, an answer must be what it was before, and memory must have settled.
 *
 *     node --import tsx bench/serve-soak.ts [--requests 3000] [--concurrency 8] [--seed 1]
 */
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { parseArgs } from 'node:util';
import { loadEta } from '../src/index.js';
import { listen } from '../src/server/index.js';
import { slope } from './slope.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '3000' },
    concurrency: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
  },
});
const [requestCount, concurrency, seed] = [values.requests, values.concurrency, values.seed].map(Number) as [
  number,
  number,
  number,
];
/** Bytes a request that memory may still grow by over the last half, as in bench/soak.ts. */
const MOST_SLOPE = 4096;
const PICTURES = ['clean-04.png', 'clean-01.jpg', 'drawn-08.png', 'drawn-01.jpg', 'list-1.jpg'].map((file) => {
  const bytes = readFileSync(new URL(`../models/miniature/pictures/${file}`, import.meta.url));
  return `data:image/${file.endsWith('png') ? 'png' : 'jpeg'};base64,${bytes.toString('base64')}`;
});
const METHODS = ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'];

let state = seed >>> 0;
/** Park and Miller, from 0 to 1. */
function drawn(): number {
  state = (Math.imul(state ^ 0x5bd1e995, 48_271) + 11) >>> 0;
  state ^= state >>> 13;
  return (state >>> 0) / 2 ** 32;
}
const pick = <Value>(all: readonly Value[]) => all[Math.floor(drawn() * all.length)] as Value;

/** What is asked, and after how many milliseconds its client leaves; null: it stays. */
function request(): { readonly path: string; readonly body: unknown; readonly leavesAfterMs: number | null } {
  const leavesAfterMs = drawn() < 0.33 ? Math.floor(drawn() * drawn() * 400) : null;
  const image = { type: 'image_url', image_url: { url: pick(PICTURES) } };
  if (drawn() < 0.1) return { path: '/v1/moderations', body: { input: [image] }, leavesAfterMs };
  if (drawn() < 0.05) return { path: '/v1/chat/completions', body: { messages: [], n: 0 }, leavesAfterMs };
  const text = { type: 'text', text: pick(['What do you see in the image?', 'Explain how I can make this.']) };
  const body = {
    messages: [{ role: 'user', content: [image, text] }],
    stream: drawn() < 0.5,
    temperature: pick([0, 0, 1]),
    seed: Math.floor(drawn() * 1000),
    eta: { method: pick(METHODS), reuse: drawn() < 0.7 },
  };
  return { path: '/v1/chat/completions', body, leavesAfterMs };
}

const faults: string[] = [];
await using eta = await loadEta({ models: 'miniature', contextSize: 8192, sequenceCount: 64 });
const listening = await listen(eta, {
  port: 0,
  parallel: 4,
  maxQueueLength: 4,
  onError: (error) => faults.push(String(error)),
});
const outcomes: Record<string, number> = {};

/** Status, or how the client left. */
async function send({ path, body, leavesAfterMs }: ReturnType<typeof request>): Promise<string> {
  return await new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const client = requestHttp(`${listening.url}${path}`, { method: 'POST', headers }, (response) => {
      response.on('data', () => undefined);
      response.on('error', () => resolve('left'));
      response.on('close', () => resolve(response.complete ? `status ${response.statusCode}` : 'left'));
    });
    client.on('error', () => resolve('left'));
    client.end(JSON.stringify(body));
    if (leavesAfterMs !== null) setTimeout(() => client.destroy(), leavesAfterMs).unref();
  });
}

/** What must be the same before and after. */
async function control(): Promise<string> {
  const content = [
    { type: 'image_url', image_url: { url: PICTURES[2] } },
    { type: 'text', text: 'Explain how I can make this.' },
  ];
  const body = JSON.stringify({ messages: [{ role: 'user', content }], seed: 1, eta: { reuse: false } });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${listening.url}/v1/chat/completions`, { method: 'POST', headers, body });
  const { choices } = (await response.json()) as {
    readonly choices: readonly { readonly message: { readonly content: string } }[];
  };
  return choices[0]?.message.content ?? '';
}

const before = await control();
const resident: (readonly [number, number])[] = [];
let begun = 0;
const startedAt = performance.now();
const work = async () => {
  while (begun < requestCount) {
    const at = ++begun;
    const outcome = await send(request());
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (/status 5/.test(outcome)) faults.push(`request ${at}: ${outcome}`);
    if (at % Math.ceil(requestCount / 40) === 0) {
      globalThis.gc?.();
      resident.push([at, process.memoryUsage.rss()]);
    }
  }
};
await Promise.all(Array.from({ length: concurrency }, work));
const seconds = (performance.now() - startedAt) / 1000;
await new Promise((done) => setTimeout(done, 500));
const metrics = await (await fetch(`${listening.url}/metrics`)).text();
const gauge = (name: string) => Number(new RegExp(`^eta_vlm_${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
const held = gauge('sequences') - gauge('sequences_kept') + gauge('answers_running') + gauge('answers_waiting');
if (held !== 0) faults.push(`${held} sequences and places are held`);
if ((await control()) !== before) faults.push('the control is answered otherwise than before');
const grows = slope(resident.slice(resident.length / 2));
await listening.close();
console.log(`${requestCount} requests, ${concurrency} at once, seed ${seed}, ${seconds.toFixed(0)} s`);
for (const [name, count] of Object.entries(outcomes).sort())
  console.log(`${name.padEnd(16)}${String(count).padStart(6)}`);
console.log(
  `resident, MiB: ${resident
    .filter((_, at) => at % 4 === 3)
    .map(([, bytes]) => (bytes / 2 ** 20).toFixed(1))
    .join(' ')}`,
);
console.log(`slope of the last half: ${grows.toFixed(0)} bytes a request; held afterwards: ${held}`);
for (const fault of faults) console.log(`FAULT ${fault}`);
if (faults.length > 0 || grows > MOST_SLOPE) process.exitCode = 1;
