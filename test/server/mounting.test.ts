/** createServer's one function in the hands of others: Express, hono, a handler of addresses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  request as requestHttp,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { Hono } from 'hono';
import type { Eta } from '../../src/index.js';
import { createServer, type EtaServer } from '../../src/server/index.js';
import { assertFreed, loadTiny } from '../eta/tiny.js';
import { LONG, stepsUntilFree, untilRunning } from './running.js';
import { ADDRESS, type Json, posted } from './served.js';

let eta: Eta;
let server: EtaServer;
before(async () => {
  eta = await loadTiny();
  server = createServer(eta);
});
after(async () => {
  await server.close();
  await eta.dispose();
});

const BODY = { messages: [{ role: 'user', content: 'What?' }], max_tokens: 3 };

test('mounted in hono, beside other routes', async () => {
  const app = new Hono();
  app.get('/', ({ text }) => text('mine'));
  app.mount('/ai', server.fetch);
  const response = await app.request(posted('/ai/v1/chat/completions', BODY));
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as Json)['object'], 'chat.completion');
  assert.equal(await (await app.request(`${ADDRESS}/`)).text(), 'mine');
  const streamed = await app.request(posted('/ai/v1/chat/completions', { ...BODY, stream: true }));
  assert.match(await streamed.text(), /\[DONE\]/);
});

test('in hono with app.all', async () => {
  const app = new Hono();
  app.all('/v1/*', ({ req }) => server.fetch(req.raw));
  assert.equal((await app.request(`${ADDRESS}/v1/models`)).status, 200);
});

/** Both as docs/serve.md has them. */
const MOUNTED: Readonly<Record<string, () => RequestListener>> = {
  'Express 5': () => {
    const app = express();
    app.use('/ai', getRequestListener(server.fetch, { overrideGlobalObjects: false }));
    app.use(express.json());
    app.get('/', (_request, response) => void response.send('mine'));
    return app;
  },
  hono: () => {
    const app = new Hono();
    app.mount('/ai', server.fetch);
    app.get('/', ({ text }) => text('mine'));
    return getRequestListener(app.fetch, { overrideGlobalObjects: false });
  },
};

for (const [name, make] of Object.entries(MOUNTED)) {
  describe(`in ${name}, on a port`, () => {
    let http: Server;
    let url: string;
    before(async () => {
      http = createHttp(make());
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    });
    after(() => http.close());

    const send = (body: Json) => {
      const headers = { 'content-type': 'application/json' };
      const client = requestHttp(`${url}/ai/v1/chat/completions`, { method: 'POST', headers, agent: false });
      client.on('error', () => undefined);
      client.end(JSON.stringify(body));
      return client;
    };

    test('an answer, whole and piece by piece, beside routes of its own', async () => {
      const ask = async (body: Json) => {
        const [response] = (await once(send(body), 'response')) as [IncomingMessage];
        return [response.statusCode, Buffer.concat(await response.toArray()).toString()] as const;
      };
      const [status, whole] = await ask({ ...BODY, seed: 1 });
      assert.equal(status, 200);
      const { content } = (JSON.parse(whole) as Json)['choices'][0].message;
      const [, streamed] = await ask({ ...BODY, seed: 1, stream: true });
      assert.match(streamed, /\n\ndata: \[DONE\]\n\n$/);
      const events = streamed.split('\n\n').filter((line) => line.startsWith('data: {'));
      const pieces = events.map((line) => (JSON.parse(line.slice(6)) as Json)['choices'][0]?.delta.content ?? '');
      assert.equal(pieces.join(''), content);
      assert.equal(await (await fetch(url)).text(), 'mine');
      const [refused, told] = await ask({ ...BODY, messages: [] });
      assert.deepEqual([refused, (JSON.parse(told) as Json)['error'].code], [400, 'ERR_INVALID_OPTION']);
    });

    test('its OpenAPI document leads to where its routes are', async () => {
      const address = `${url}/ai/openapi.json`;
      const { servers, paths } = (await (await fetch(address)).json()) as Json;
      const statusBelow = async (server: string) => {
        const base = new URL(server, address).href.replace(/\/$/, ''); // as clients do: a path begins with its own
        return (await fetch(`${base}/health`)).status;
      };
      assert.ok('/health' in paths);
      assert.equal(servers.length, 1);
      assert.equal(await statusBelow(servers[0].url), 200);
      assert.equal(await statusBelow('/'), 404, 'where a document without servers leads');
      assert.doesNotMatch(servers[0].url, /\/$/, 'linters take no slash at the end');
    });

    for (const stream of [false, true]) {
      test(`a client that leaves frees its sequences: ${stream ? 'streamed' : 'whole'}`, async () => {
        const client = send({ ...LONG, stream });
        client.on('response', (response) => response.on('error', () => undefined).resume());
        await untilRunning(eta);
        client.destroy();
        await new Promise((resolve) => setTimeout(resolve, 20)); // until the server hears of it
        assert.ok((await stepsUntilFree(eta)) <= 2);
        await assertFreed(eta, 'behind a client that left');
      });
    }
  });
}

test('as a handler of an own scheme, asked from its own page', async () => {
  const request = new Request('eta://app/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'eta://app' },
    body: JSON.stringify(BODY),
  });
  assert.equal((await server.fetch(request)).status, 200);
});
