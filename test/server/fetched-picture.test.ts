/** Pictures behind addresses that clients name: no way into the network that the server stands in. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { isPublic } from '../../src/server/addresses.js';
import type { ServerOptions } from '../../src/server/index.js';
import { loadTiny } from '../eta/tiny.js';
import { Asked, about, CLEAN } from './served.js';

let eta: Eta;
const closing: (() => void)[] = [];
before(async () => {
  eta = await loadTiny();
});
after(async () => {
  for (const close of closing) close();
  await eta.dispose();
});

const PICTURE = Buffer.from(CLEAN.split(',')[1] ?? '', 'base64');

/** A server of this machine, and the requests that it got. */
async function host(answer: RequestListener): Promise<{ readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close().closeAllConnections());
  return { port: (server.address() as AddressInfo).port, asked };
}

const serving: RequestListener = (_request, response) => response.setHeader('content-type', 'image/png').end(PICTURE);
const onLoopback = async () => [{ address: '127.0.0.1', family: 4 }];

async function told(url: string, options: ServerOptions = {}): Promise<[number, string | undefined]> {
  const asked = new Asked(eta, { fetchPictures: true, ...options });
  const { status, body } = await asked.chat({ messages: about(url, 'What?'), max_tokens: 2 });
  return [status, body['error']?.code];
}

/** Refused for what the address is, before anything is opened: one that does not answer has the same code. */
async function assertRefused(url: string, options: ServerOptions = {}): Promise<void> {
  const asked = new Asked(eta, { fetchPictures: true, ...options });
  const { body } = await asked.chat({ messages: about(url, 'What?'), max_tokens: 2 });
  assert.equal(body['error']?.code, 'ERR_PICTURE_FETCH', url);
  assert.match(
    body['error'].message,
    /expected (an address of the internet|a host with an address|port 80|http: or|an address without)/,
    url,
  );
}

const REFUSED = [400, 'ERR_PICTURE_FETCH'];

test('nothing is fetched unless the server was told to', async () => {
  const { port, asked } = await host(serving);
  assert.deepEqual(await told(`http://127.0.0.1:${port}/a.png`, { fetchPictures: false }), [
    400,
    'ERR_INVALID_REQUEST',
  ]);
  assert.deepEqual(asked, []);
});

test('a host that the operator named is asked, at the address that was looked up', async () => {
  const { port, asked } = await host(serving);
  const hosts: string[] = [];
  const lookup = async (name: string) => {
    hosts.push(name);
    return await onLoopback();
  };
  const name = `pictures.example:${port}`;
  assert.deepEqual(await told(`http://${name}/a.png`, { lookup, pictureHosts: [name] }), [200, undefined]);
  assert.deepEqual([asked, hosts], [['/a.png'], ['pictures.example']], 'looked up once');
});

test('addresses of its own network are refused, however they are written', async () => {
  const { asked } = await host(serving);
  for (const address of [
    'http://127.0.0.1/a.png',
    'http://localhost/a.png',
    'http://2130706433/a.png',
    'http://0x7f.1/a.png',
    'http://0/a.png',
    'http://10.0.0.1/a.png',
    'http://172.31.0.1/a.png',
    'http://192.168.1.1/a.png',
    'http://169.254.169.254/latest/meta-data',
    'http://100.64.0.1/a.png',
    'http://224.0.0.1/a.png',
    'http://[::1]/a.png',
    'http://[::]/a.png',
    'http://[fe80::1]/a.png',
    'http://[fd00::1]/a.png',
    'http://[::ffff:127.0.0.1]/a.png',
    'http://[::ffff:a00:1]/a.png',
    'http://[64:ff9b::7f00:1]/a.png',
    'http://[2002:7f00:1::]/a.png',
    'http://user:password@1.1.1.1/a.png',
    'http://1.1.1.1:22/a.png',
    'http://1.1.1.1:6379/a.png',
  ])
    await assertRefused(address);
  assert.deepEqual(asked, []);
});

test('a name whose address is private, or one of whose addresses is, is refused before anything is opened', async () => {
  for (const addresses of [['127.0.0.1'], ['1.1.1.1', '10.0.0.1'], ['::ffff:10.0.0.1'], []]) {
    const lookup = async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    await assertRefused('http://rebinding.example/a.png', { lookup });
  }
  const failing = async () => Promise.reject(new Error('ENOTFOUND'));
  assert.deepEqual(await told('http://nowhere.example/a.png', { lookup: failing }), REFUSED);
});

test('each redirect is checked anew', async () => {
  const secret = await host(serving);
  for (const to of [
    `http://127.0.0.1:${secret.port}/secret`,
    'http://127.0.0.1/secret',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'data:image/png;base64,AAAA',
    '//localhost/x',
    'http://[::1]/',
  ]) {
    const { port, asked } = await host((_request, response) => response.writeHead(302, { location: to }).end());
    const name = `pictures.example:${port}`;
    await assertRefused(`http://${name}/a.png`, { lookup: onLoopback, pictureHosts: [name] });
    assert.equal(asked.length, 1);
  }
  assert.deepEqual(secret.asked, []);
});

test('three redirects are followed, four are not', async () => {
  for (const [count, expected] of [
    [3, [200, undefined]],
    [4, REFUSED],
  ] as const) {
    let left: number = count;
    const { port, asked } = await host((request, response) => {
      if (left-- > 0) response.writeHead(302, { location: '/next' }).end();
      else serving(request, response);
    });
    const name = `pictures.example:${port}`;
    assert.deepEqual(await told(`http://${name}/a.png`, { lookup: onLoopback, pictureHosts: [name] }), expected);
    assert.equal(asked.length, 4);
  }
});

test('what is no picture, is too large, or fails', async () => {
  for (const [answer, expected] of [
    [(_: unknown, response) => response.setHeader('content-type', 'text/html').end('<p>'), REFUSED],
    [(_: unknown, response) => response.writeHead(404).end(), REFUSED],
    [(_: unknown, response) => response.destroy(), REFUSED],
    [
      (_: unknown, response) => response.setHeader('content-type', 'image/png').end(Buffer.alloc(100_001)),
      [413, 'ERR_IMAGE_TOO_LARGE'],
    ],
    [
      (_: unknown, response) => void response.writeHead(200, { 'content-length': '9999999' }).end(),
      [413, 'ERR_IMAGE_TOO_LARGE'],
    ],
    [
      (_: unknown, response) => response.setHeader('content-type', 'image/png').end('no picture'),
      [400, 'ERR_IMAGE_UNREADABLE'],
    ],
  ] as const satisfies readonly (readonly [RequestListener, readonly unknown[]])[]) {
    const { port } = await host(answer as RequestListener);
    const name = `pictures.example:${port}`;
    const options = { lookup: onLoopback, pictureHosts: [name], maxBodyBytes: 100_000 };
    assert.deepEqual(await told(`http://${name}/a.png`, options), expected);
  }
});

test('what is not read is let go, though its host never ends it', async () => {
  for (const [status, headers] of [
    [404, { 'content-type': 'image/png' }],
    [302, { location: 'http://[' }],
    [200, { 'content-type': 'text/html' }],
  ] as const) {
    let isClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      isClosed = resolve;
    });
    const { port } = await host((request, response) => {
      response.writeHead(status, headers);
      const writing = setInterval(() => response.write('x'.repeat(100)), 5);
      request.socket.once('close', () => {
        clearInterval(writing);
        isClosed();
      });
    });
    const name = `pictures.example:${port}`;
    const asked = new Asked(eta, { fetchPictures: true, lookup: onLoopback, pictureHosts: [name] });
    const input = [{ type: 'image_url', image_url: { url: `http://${name}/a.png` } }];
    const { body } = await asked.post('/v1/moderations', { input }); // a chat that fails ends all of its own at once
    assert.equal(body['error'].code, 'ERR_PICTURE_FETCH');
    const late = new Promise((_, reject) => setTimeout(reject, 3000, new Error(`${status}: held`)).unref());
    await Promise.race([closed, late]);
  }
});

test('what is public and what is not', () => {
  for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00::1'])
    assert.ok(isPublic(address), address);
  for (const address of [
    '',
    'localhost',
    '1.1.1',
    '::ffff:1.1.1.1',
    '2001:db8::1',
    '255.255.255.255',
    'fe80::1%eth0',
    '192.0.2.9',
  ])
    assert.ok(!isPublic(address), address);
});
