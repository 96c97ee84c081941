/** Functions of who runs the server that throw: a warning tells it, and every answer goes out as it was. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { loadTiny } from '../eta/tiny.js';
import { Asked, type Json, posted } from './served.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const BODY: Json = { messages: [{ role: 'user', content: 'What?' }], max_tokens: 3 };

const throwing = () => {
  throw new TypeError('the disk is full');
};
const rejecting = async () => await Promise.reject(new TypeError('the disk is full'));

/** The next warning of the process. */
async function warned(): Promise<Error & { code?: string }> {
  const [warning] = await once(process, 'warning', { signal: AbortSignal.timeout(10_000) });
  return warning;
}

/** An Eta whose answers break off with what is no error of ours, once they have begun. */
function breakingOff(): Eta {
  const stream: Eta['stream'] = async function* (request, options) {
    for await (const event of eta.stream(request, options)) {
      yield event;
      throw new TypeError('secret');
    }
  };
  return new Proxy(eta, {
    get: (target, name) => {
      if (name === 'stream') return stream;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

for (const [name, onRequest] of [
  ['throws', throwing],
  ['rejects', rejecting],
] as const) {
  test(`an onRequest that ${name}: whole and streamed answers go out`, async () => {
    const asked = new Asked(eta, { onRequest });
    const first = warned();
    assert.equal((await asked.chat(BODY)).status, 200);
    const { code, message } = await first;
    assert.equal(code, 'ETA_LISTENER');
    assert.match(message, /^createServer options: onRequest: .*the disk is full/s);
    const second = warned();
    assert.ok((await asked.stream(BODY)).length > 2);
    assert.equal((await second).code, 'ETA_LISTENER');
    await asked.server.close();
  });
}

test('an onError that throws: the stream ends with the failure, and the server can be closed', async () => {
  const { server } = new Asked(breakingOff(), { onError: throwing });
  const warning = warned();
  const response = await server.fetch(posted('/v1/chat/completions', { ...BODY, stream: true }));
  assert.match(await response.text(), /"ERR_UNEXPECTED"[^\n]*\n\n$/);
  assert.match((await warning).message, /onError: .*the disk is full/s);
  await server.close();
});

test('an onError that throws: a whole answer fails with its own status', async () => {
  const asked = new Asked(breakingOff(), { onError: throwing });
  const warning = warned();
  const { status, body } = await asked.chat(BODY);
  assert.deepEqual([status, body['error'].code], [500, 'ERR_UNEXPECTED']);
  assert.equal((await warning).code, 'ETA_LISTENER');
  await asked.server.close();
});
