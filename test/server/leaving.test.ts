/** Clients that leave, and servers that stop: what runs ends within a step, and nothing of it stays. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { type ListenOptions, listen, type ServedRequest } from '../../src/server/index.js';
import { assertFreed, loadTiny } from '../eta/tiny.js';
import { LONG, stepsUntilFree, untilRunning } from './running.js';
import { Asked, type Json, posted } from './served.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

test('a signal that fires ends what is not streamed within a step', async () => {
  const asked = new Asked(eta);
  const controller = new AbortController();
  const reply = asked.chat(LONG, { signal: controller.signal });
  await untilRunning(eta);
  controller.abort();
  assert.ok((await stepsUntilFree(eta)) <= 2);
  assert.equal((await reply).body['error'].code, 'ERR_ABORTED');
});

test('a reader that leaves a stream ends it within a step', async () => {
  const { server } = new Asked(eta);
  const response = await server.fetch(posted('/v1/chat/completions', { ...LONG, stream: true }));
  const reader = response.body?.getReader();
  await reader?.read();
  await untilRunning(eta);
  await reader?.cancel();
  assert.ok((await stepsUntilFree(eta)) <= 2);
});

test('one who waits in the line and leaves takes no place', async () => {
  const asked = new Asked(eta, { parallel: 1, maxQueueLength: 1 });
  const running = new AbortController();
  const first = asked.chat(LONG, { signal: running.signal });
  await untilRunning(eta);
  const waiting = new AbortController();
  const second = asked.chat(LONG, { signal: waiting.signal });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await asked.chat(LONG)).status, 429);
  waiting.abort();
  await second;
  const third = asked.chat({ ...LONG, max_tokens: 2 });
  running.abort();
  await first;
  assert.equal((await third).status, 200);
});

for (const stream of [false, true]) {
  test(`a connection that breaks off ends its answer: ${stream ? 'streamed' : 'whole'}`, async () => {
    const ended: ServedRequest[] = [];
    const { listening, send } = await served({ onRequest: (request) => ended.push(request) });
    const client = send({ ...LONG, stream });
    client.on('error', () => undefined);
    client.on('response', (response) => response.on('error', () => undefined).resume());
    await untilRunning(eta);
    client.destroy();
    while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(ended[0]?.code, 'ERR_ABORTED');
    await assertFreed(eta, 'behind a broken connection');
    await listening.close();
  });
}

test('a connection that carries several requests leaves them all', async () => {
  const ended: ServedRequest[] = [];
  const listening = await listen(eta, { port: 0, onRequest: (request) => ended.push(request) });
  const { hostname, port } = new URL(listening.url);
  const body = JSON.stringify(LONG);
  const one = `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const socket = connect(Number(port), hostname);
  socket.write(one.repeat(3));
  await untilRunning(eta);
  socket.destroy();
  while (ended.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    ended.map(({ code }) => code),
    ['ERR_ABORTED', 'ERR_ABORTED', 'ERR_ABORTED'],
  );
  await assertFreed(eta, 'behind a pipeline');
  await listening.close();
});

test('a server that stops waits for no body longer than its grace', async () => {
  const listening = await listen(eta, { port: 0, graceMs: 50 });
  const { hostname, port } = new URL(listening.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  const startedAt = performance.now();
  await listening.close();
  assert.ok(performance.now() - startedAt < 15_000);
  socket.destroy();
});

test('a server that stops lets running answers end, and takes no others', async () => {
  const { listening, send } = await served({ graceMs: 60_000 });
  const client = send({ ...LONG, max_tokens: 60 });
  await untilRunning(eta);
  const closed = listening.close();
  const [response] = await once(client, 'response');
  assert.equal(response.statusCode, 200);
  response.resume();
  await closed;
  await assert.rejects(once(send(LONG), 'response'), { code: 'ECONNREFUSED' });
});

test('what still runs behind the grace is ended, and told why', async () => {
  const { listening, send } = await served({ graceMs: 30 });
  const begun = once(send({ ...LONG, stream: true }), 'response');
  const clients = [once(send(LONG), 'response'), begun];
  const responses = clients.map(async (client) => {
    const [response] = await client;
    return [response.statusCode, Buffer.concat(await response.toArray()).toString()] as const;
  });
  await begun; // what fails before has a status of its own
  await listening.close();
  const [[status, body] = [], [streamedStatus, streamed] = []] = await Promise.all(responses);
  assert.equal(status, 503);
  assert.match(body ?? '', /"ERR_STOPPING"/);
  assert.equal(streamedStatus, 200);
  assert.match(streamed ?? '', /"ERR_STOPPING"[^\n]*\n\n$/);
  await assertFreed(eta, 'behind the grace');
});

test('close is idempotent, and a closed server says so', async () => {
  const asked = new Asked(eta);
  await Promise.all([asked.server.close(), asked.server.close()]);
  const { status, body } = await asked.chat(LONG);
  assert.deepEqual([status, body['error'].code], [503, 'ERR_STOPPING']);
  assert.equal((await asked.get('/health')).status, 503);
});

async function served(options: ListenOptions) {
  const listening = await listen(eta, { port: 0, ...options });
  const send = (body: Json) => {
    const client = requestHttp(`${listening.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    client.end(JSON.stringify(body));
    return client;
  };
  return { listening, send };
}
