/** A server on a port or a socket: where it may listen, and clients that are slow. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { type ListenOptions, listen } from '../../src/server/index.js';
import { loadTiny } from '../eta/tiny.js';
import { answerOn, opened } from './wire.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const KEY = 'a-key-of-sixteen-or-more';
const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'What?' }], max_tokens: 2 });

test('under any name it needs a key, but for a socket, which no page reaches', async () => {
  const allowedHosts = ['models.example', '*'];
  const refused = { code: 'ERR_INVALID_OPTION', message: /allowedHosts: expected hosts by their names.*and no key/ };
  await assert.rejects(listen(eta, { port: 0, allowedHosts }), refused);
  await (await listen(eta, { port: 0, allowedHosts, apiKey: KEY })).close();
  await (await listen(eta, { port: 0, allowedHosts: ['models.example'] })).close();
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-any-'));
  await (await listen(eta, { socket: join(folder, 's'), allowedHosts })).close();
  rmSync(folder, { recursive: true });
});

test('beyond this machine it needs a key', async () => {
  for (const host of ['0.0.0.0', '::', '[::]', '192.0.2.1', 'example.com', '::ffff:0.0.0.0', '0'])
    await assert.rejects(
      listen(eta, { host, port: 0 }),
      { code: 'ERR_INVALID_OPTION', message: /expected a key/ },
      host,
    );
  await assert.rejects(listen(eta, { host: '0.0.0.0', port: 0, apiKey: 'short' }), { code: 'ERR_INVALID_OPTION' });
  const listening = await listen(eta, { host: '0.0.0.0', port: 0, apiKey: KEY });
  const { port } = new URL(listening.url);
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/models`)).status, 401);
  const said = { headers: { authorization: `Bearer ${KEY}` } };
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/models`, said)).status, 200);
  await listening.close();
});

test('a place that is taken is told', async () => {
  const first = await listen(eta, { port: 0 });
  const port = Number(new URL(first.url).port);
  await assert.rejects(listen(eta, { port }), {
    code: 'ERR_INVALID_OPTION',
    message: /which is taken already \(EADDRINUSE\)/,
  });
  await first.close();
});

test('a unix socket, for its owner alone; one that a killed server left is taken', {
  skip: process.platform === 'win32',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-'));
  try {
    const socket = join(folder, 'eta.sock');
    const listening = await listen(eta, { socket });
    assert.equal(listening.url, socket);
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const response = await over(
      {
        socketPath: socket,
        path: '/v1/chat/completions',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      BODY,
    );
    assert.equal(response.status, 200);
    await assert.rejects(listen(eta, { socket }), {
      code: 'ERR_INVALID_OPTION',
      message: /^listen options: socket: .*EADDRINUSE/,
    });
    await listening.close();
    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    await assert.rejects(listen(eta, { socket: file }), { code: 'ERR_INVALID_OPTION' });
    await assert.rejects(listen(eta, { socket: join(folder, 'x'.repeat(100)) }), {
      code: 'ERR_INVALID_OPTION',
      message: /^listen options: socket: expected a path of at most 103 bytes/,
    });
    assert.equal(statSync(file).size, 4, 'a file that is no socket stays');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a body that trickles ends, and others are answered meanwhile', async () => {
  const listening = await listen(eta, { port: 0, bodyTimeoutMs: 100 });
  const slow = await opened(listening.url);
  slow.write(
    'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  const drip = setInterval(() => slow.write(' '), 10);
  const other = await fetch(`${listening.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: BODY,
  });
  assert.equal(other.status, 200);
  const [answer] = (await once(slow, 'data')) as [Buffer];
  clearInterval(drip);
  assert.match(answer.toString(), /^HTTP\/1\.1 408 /);
  slow.destroy();
  await listening.close();
});

test('what is no request is told in the form of the API: headers beyond their bound, bytes that are no HTTP, no host', async () => {
  const listening = await listen(eta, { port: 0 });
  for (const [bytes, status, code] of [
    [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'ERR_HEADERS_TOO_LARGE'],
    ['\x16\x03\x01\x02\x00\x01', 400, 'ERR_INVALID_REQUEST'],
    ['GET /\r\n\r\n', 400, 'ERR_INVALID_REQUEST'],
    ['GET / HTTP/1.1\r\nhost localhost\r\n\r\n', 400, 'ERR_INVALID_REQUEST'],
    ['GET / HTTP/1.1\r\n\r\n', 400, 'ERR_INVALID_REQUEST'],
    ['GET /health HTTP/1.1\r\nhost: a b\r\n\r\n', 400, 'ERR_INVALID_REQUEST'],
  ] as const) {
    const socket = await opened(listening.url);
    socket.write(bytes);
    const { status: told, body } = await answerOn(socket);
    assert.deepEqual(
      [told, body['error'].code, body['error'].type],
      [status, code, 'invalid_request_error'],
      bytes.slice(0, 40),
    );
    assert.match(body['error'].message, /^Expected .*, received /);
    socket.destroy();
  }
  assert.equal((await fetch(`${listening.url}/health`)).status, 200);
  await listening.close();
});

const POST = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';

test('what Node would end without a word is told: expectations, CONNECT, bodies that break off in their form', async () => {
  const listening = await listen(eta, { port: 0 });
  for (const [bytes, status, code] of [
    [`${POST}expect: a-miracle\r\ncontent-length: 9\r\n\r\n`, 417, 'ERR_INVALID_REQUEST'],
    ['CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n', 501, 'ERR_ROUTE'],
    ['TRACE / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 405, 'ERR_ROUTE'],
    [`${POST}transfer-encoding: chunked\r\n\r\n1;x=${'x'.repeat(20_000)}\r\n{\r\n`, 413, 'ERR_BODY_TOO_LARGE'],
    [`${POST}transfer-encoding: chunked\r\n\r\nZZ\r\n{\r\n`, 400, 'ERR_INVALID_REQUEST'],
  ] as const) {
    const socket = await opened(listening.url);
    socket.write(bytes);
    const { status: told, body } = await answerOn(socket);
    assert.deepEqual([told, body['error'].code], [status, code], bytes.slice(0, 60));
    if (!socket.destroyed) await once(socket, 'close');
  }
  assert.equal((await fetch(`${listening.url}/health`)).status, 200);
  await listening.close();
});

test('what breaks off behind another request is not told in the place of its answer', async () => {
  const listening = await listen(eta, { port: 0 });
  const long = JSON.stringify({ ...JSON.parse(BODY), max_tokens: 200, eta: { method: 'vanilla' } });
  const socket = await opened(listening.url);
  let heard = '';
  socket.on('data', (piece: Buffer) => {
    heard += piece;
  });
  socket.write(`${posting(long)}${POST}transfer-encoding: chunked\r\n\r\nZZ\r\n`);
  if (!socket.destroyed) await once(socket, 'close');
  assert.doesNotMatch(heard, /^HTTP\/1\.1 400/);
  await listening.close();
});

test('a connection that sends nothing, or half of its headers, is ended in time', async () => {
  const listening = await listen(eta, { port: 0, headersTimeoutMs: 100 });
  for (const bytes of ['', 'POST /v1/chat/completions HTTP/1.1\r\nhost: loc']) {
    const socket = await opened(listening.url);
    socket.write(bytes);
    const { status, body } = await answerOn(socket);
    assert.deepEqual([status, body['error'].code], [408, 'ERR_BODY_TIMEOUT'], bytes);
    if (!socket.destroyed) await once(socket, 'close');
  }
  await listening.close();
});

test('silent connections shut nobody out: the one that is silent for longest goes', async () => {
  const listening = await listen(eta, { port: 0, maxConnections: 3 });
  const silent = [await opened(listening.url), await opened(listening.url), await opened(listening.url)];
  const [first, ...others] = silent;
  const response = await fetch(`${listening.url}/health`, { headers: { connection: 'close' } });
  assert.equal(response.status, 200);
  if (first?.destroyed === false) await once(first, 'close');
  assert.deepEqual(
    others.map(({ destroyed }) => destroyed),
    [false, false],
  );
  for (const socket of silent) socket.destroy();
  await listening.close();
});

test('who is being answered stays; behind silence goes who has not sent all of a request', async () => {
  const listening = await listen(eta, { port: 0, maxConnections: 2 });
  const long = { ...JSON.parse(BODY), max_tokens: 400, temperature: 1.5, seed: 4, eta: { method: 'vanilla' } };
  const asked = await opened(listening.url);
  asked.write(posting(JSON.stringify({ ...long, stream: true })));
  await once(asked, 'data');
  const half = await opened(listening.url);
  half.write(
    'POST /v1/moderations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  await new Promise((resolve) => setTimeout(resolve, 50)); // it has arrived
  const other = await opened(listening.url);
  other.write(posting(JSON.stringify({ ...long, stream: true })));
  await once(other, 'data');
  if (!half.destroyed) await once(half, 'close');
  const late = await opened(listening.url);
  if (!late.destroyed) await once(late, 'close');
  assert.deepEqual([asked.destroyed, other.destroyed], [false, false]);
  for (const socket of [asked, other]) socket.destroy();
  await listening.close();
});

test('a wrong option is told with its name', async () => {
  await assert.rejects(listen(eta, { prt: 1 } as ListenOptions), {
    code: 'ERR_UNKNOWN_OPTION',
    message: /Did you mean 'port'/,
  });
});

function posting(body: string): string {
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function over(options: Parameters<typeof requestHttp>[1], body: string): Promise<{ status: number | undefined }> {
  const client = requestHttp(options as object);
  client.end(body);
  const [response] = await once(client, 'response');
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode };
}

test('no message holds a key, however wrong it is', async () => {
  for (const apiKey of ['short', 'with blanks in a secret', 12_345_678 as never])
    await assert.rejects(listen(eta, { apiKey, port: 0 }), ({ code, message }: Error & { code: string }) => {
      assert.equal(code, 'ERR_INVALID_OPTION');
      assert.doesNotMatch(message, /short|secret|12345678/);
      return true;
    });
});
