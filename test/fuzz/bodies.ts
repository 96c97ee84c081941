/**
 * Bodies that nobody should send, to the server: whatever comes is answered, in the form of the API, with a status that fits,
 * and leaves nothing in the context.
 */
import type { Eta } from '../../src/index.js';
import { createServer } from '../../src/server/index.js';
import { loadTiny } from '../eta/tiny.js';
import { mutatedBody, ROUTES } from './body-mutation.js';
import type { Fuzz, FuzzOptions, FuzzResult } from './fuzz.js';
import { Random } from './random.js';
import { RAW, Tally } from './tally.js';
import { tryWithin } from './within-process.js';

type Server = ReturnType<typeof createServer>;

export async function fuzzBodies(eta: Eta, options: FuzzOptions): Promise<FuzzResult> {
  const tally = new Tally();
  const server = createServer(eta, { maxTokens: 8, timeoutMs: 30_000, maxBodyBytes: 2 ** 20 });
  try {
    await tryWithin(tally, options, async (seed) => {
      const outcome = await answer(server, new Random(seed));
      const { liveSequenceCount, keptSequenceCount } = await eta.statistics();
      const count = liveSequenceCount - keptSequenceCount;
      return count === 0 ? outcome : `${RAW}${outcome}, and ${count} sequences stay`;
    });
  } finally {
    await server.close();
  }
  return tally.result(options.count);
}

export const bodies: Fuzz = {
  name: 'bodies',
  count: 2000,
  async run(options) {
    await using eta = await loadTiny();
    return await fuzzBodies(eta, options);
  },
};

async function answer(server: Server, random: Random): Promise<string> {
  const route = random.of(ROUTES);
  const body = mutatedBody(route, random);
  const response = await server.fetch(
    new Request(`http://localhost${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(body),
    }),
  );
  const fault = faultOf(response, await response.text());
  return fault === null
    ? `status ${response.status}`
    : `${RAW}${fault}: ${route} ${body.toString('latin1').slice(0, 300)}`;
}

function faultOf({ status }: Response, text: string): string | null {
  if (status === 200) return null;
  if (status >= 500) return `status ${status}: ${text.slice(0, 200)}`;
  try {
    const { error } = JSON.parse(text) as { readonly error: Readonly<Record<string, unknown>> };
    const isTold =
      typeof error['message'] === 'string' && /^ERR_/.test(String(error['code'])) && error['code'] !== 'ERR_UNEXPECTED';
    return isTold && text.length < 3000 ? null : `told as ${text.slice(0, 200)}`;
  } catch {
    return `no JSON: ${text.slice(0, 200)}`;
  }
}
