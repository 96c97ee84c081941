/** Clients that wait with a body until they are told to go on: `Expect: 100-continue`, over sockets of their own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { type Listening, listen } from '../../src/server/index.js';
import { loadTiny } from '../eta/tiny.js';
import { answerOn, heardOn, opened } from './wire.js';

const KEY = 'a-key-of-sixteen-or-more';
const MAX_BODY_BYTES = 5_000;
const CHAT = '/v1/chat/completions';
const JSON_TYPE = 'application/json';
const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'What?' }], max_tokens: 2 });
const NEXT = 'GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

let eta: Eta;
let listening: Listening;
before(async () => {
  eta = await loadTiny();
  listening = await listen(eta, { port: 0, apiKey: KEY, maxBodyBytes: MAX_BODY_BYTES });
});
after(async () => {
  await listening.close();
  await eta.dispose();
});

interface Head {
  readonly path?: string;
  readonly key?: string;
  readonly type?: string;
  readonly bytes?: number;
  readonly waits?: boolean;
}

/** All of a request but its body. */
function head({ path = CHAT, key = KEY, type = JSON_TYPE, bytes = BODY.length, waits = true }: Head = {}): string {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'host: localhost',
    `authorization: Bearer ${key}`,
    `content-type: ${type}`,
    `content-length: ${bytes}`,
    ...(waits ? ['expect: 100-continue'] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

const statusesOf = (heard: string) => [...heard.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

const REFUSED: readonly (readonly [Head, number])[] = [
  [{ key: 'another-of-sixteen-or-more' }, 401],
  [{ path: '/v1/none' }, 404],
  [{ type: 'text/plain' }, 400],
  [{ bytes: MAX_BODY_BYTES + 1 }, 413],
];

test('who is refused by what its headers say is not told to send the body, and the connection ends', async () => {
  for (const [wrong, status] of REFUSED) {
    const socket = await opened(listening.url);
    socket.write(head(wrong));
    const heard = await heardOn(socket);
    assert.deepEqual(statusesOf(heard), [status]);
    assert.match(heard, /^connection: close\r$/im, String(status));
    assert.match(heard, /\r\n\r\n\{"error":\{.*\}$/s);
  }
});

test('a request that was sent behind a refused one, body and all, is not answered; without the expectation it is', async () => {
  const wrong = { key: 'another-of-sixteen-or-more' };
  const socket = await opened(listening.url);
  socket.write(`${head(wrong)}${BODY}${NEXT}`);
  assert.deepEqual(statusesOf(await heardOn(socket)), [401]);
  const other = await opened(listening.url);
  other.write(`${head({ ...wrong, waits: false })}${BODY}${NEXT}`);
  assert.deepEqual(statusesOf(await heardOn(other)), [401, 200]);
});

test('anybody else is told to go on, once, and can ask again on the same connection', async () => {
  const socket = await opened(listening.url);
  for (const _time of [1, 2]) {
    socket.write(head());
    const [told] = (await once(socket, 'data')) as [Buffer];
    assert.equal(told.toString(), 'HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(BODY);
    const { status, body } = await answerOn(socket);
    socket.removeAllListeners('data');
    assert.deepEqual([status, body['object']], [200, 'chat.completion']);
  }
  socket.destroy();
});
