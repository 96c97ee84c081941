/**
 * A server under load: so many clients at once, each with a streamed answer of the model's own, all of them new prompts.
 * Tokens a second of all clients together, and the median time to the first text. Beside llama-server with as many slots,
 * in turns, where it is built: `npm run bench:peers:build`, or ETA_VLM_PEERS.
 *
 *     node --import tsx bench/serve-load.ts [--clients 1,8,32] [--model 160m|1.1b|miniature] [--weights q8_0] [--tokens 32]
 *                                           [--requests 64] [--repeat 3] [--threads N] [--folder DIR] [--alone]
 */
import { loadEta } from '../src/index.js';
import { listen } from '../src/server/index.js';
import { median } from './engine-model.js';
import { LlamaServer } from './peers/server.js';
import { described, filesOf, settings } from './peers/settings.js';

const isAlone = take('--alone') !== null;
const clients = (take('--clients', true) ?? '1,8,32').split(',').map(Number);
const options = settings({ model: '160m', tokens: 32, requests: 64, repeat: 3 });
const { languageModel } = await filesOf(options);
const most = Math.max(...clients);
const contextSize = most * 512;
const { tokens, repeat, requests, threadCount } = options;

/** An option of this program alone, taken out of the command line; null where it is not there. */
function take(name: string, hasValue = false): string | null {
  const at = process.argv.indexOf(name);
  if (at < 0) return null;
  return process.argv.splice(at, hasValue ? 2 : 1).at(-1) ?? null;
}

/** Said by the request, so that both sides read as much: where a file has no form of its own, each side has another. */
const SYSTEM = 'You see pictures and answer questions about them, in few words. You say what you see and nothing else.';
/** Sequences for what earlier requests left; llama-server keeps it in its slots. */
const KEPT = 8;

interface Turn {
  /** Tokens a second, of all clients together. */
  readonly rate: number;
  /** Median time to the first text, in milliseconds. */
  readonly firstMs: number;
}

let asked = 0;

/** One streamed answer: its tokens, and when its first text came. */
async function answer(address: string): Promise<{ readonly tokenCount: number; readonly firstMs: number }> {
  const content = `Question ${++asked}: what do you see here, and what would you do with it? `.repeat(2);
  const body = {
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content },
    ],
    max_tokens: tokens,
    temperature: 0,
    stream: true,
    stream_options: { include_usage: true },
  };
  const headers = { 'content-type': 'application/json' };
  const startedAt = performance.now();
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  let firstMs = Number.NaN;
  let whole = '';
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    whole += Buffer.from(piece).toString();
    if (Number.isNaN(firstMs) && /"content":"[^"]/.test(whole)) firstMs = performance.now() - startedAt;
  }
  const tokenCount = Number(/"completion_tokens":(\d+)/.exec(whole)?.[1] ?? Number.NaN);
  if (!response.ok || Number.isNaN(tokenCount))
    throw new Error(`${address}: ${response.status} ${whole.slice(0, 300)}`);
  return { tokenCount, firstMs };
}

async function turn(address: string, clientCount: number): Promise<Turn> {
  let left = Math.max(requests, clientCount);
  const answers: Awaited<ReturnType<typeof answer>>[] = [];
  const startedAt = performance.now();
  const client = async () => {
    while (left-- > 0) answers.push(await answer(address));
  };
  await Promise.all(Array.from({ length: clientCount }, client));
  const seconds = (performance.now() - startedAt) / 1000;
  const said = answers.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  return {
    rate: said / seconds,
    firstMs: median(answers.map(({ firstMs }) => firstMs).filter((ms) => !Number.isNaN(ms))),
  };
}

console.log(`${described(options)}; answers of at most ${tokens} tokens, ${requests} a turn, ${repeat} turns\n`);
for (const clientCount of clients) {
  await using eta = await loadEta({
    models: { languageModel },
    method: 'vanilla',
    contextSize,
    sequenceCount: Math.min(256, clientCount * 2 + KEPT),
    threadCount,
  });
  const ours = await listen(eta, { port: 0, parallel: clientCount, maxQueueLength: most });
  await using theirs = isAlone
    ? null
    : await LlamaServer.start({ languageModel, slotCount: clientCount, contextSize, threadCount });
  const turns: Record<'ours' | 'theirs', Turn[]> = { ours: [], theirs: [] };
  for (let at = 0; at <= repeat; at++) {
    const found = {
      ours: await turn(ours.url, clientCount),
      theirs: theirs === null ? null : await turn(theirs.address, clientCount),
    };
    if (at === 0) continue; // the first one warms up
    turns.ours.push(found.ours);
    if (found.theirs !== null) turns.theirs.push(found.theirs);
  }
  for (const [name, all] of Object.entries(turns)) {
    if (all.length === 0) continue;
    const [rate, firstMs] = [median(all.map((one) => one.rate)), median(all.map((one) => one.firstMs))];
    console.log(
      `${String(clientCount).padStart(3)} clients  ${name.padEnd(7)} ${rate.toFixed(1).padStart(8)} tokens/s  first text ${firstMs.toFixed(0).padStart(6)} ms`,
    );
  }
  await ours.close();
}
