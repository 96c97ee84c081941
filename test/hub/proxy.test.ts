/** Proxies: which connections go through one, over real ones for http and for TLS. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { proxyFor } from '../../src/hub/proxy.js';
import { cert, key } from './certificate.js';
import { assertRight, clientOf, fetched, freshFolder } from './fixture.js';
import { SMALL } from './repos.js';
import { TestHub } from './server.js';

const through = (url: string, env: Readonly<Record<string, string>>) => proxyFor(new URL(url), env)?.href ?? null;

test('which proxy: by the kind of the address, lower case before upper', () => {
  const env = { HTTPS_PROXY: 'http://s:1', HTTP_PROXY: 'http://p:2' };
  assert.equal(through('https://hub/x', env), 'http://s:1/');
  assert.equal(through('http://hub/x', env), 'http://p:2/');
  assert.equal(through('https://hub/x', { ...env, https_proxy: 'http://low:3' }), 'http://low:3/');
  assert.equal(through('https://hub/x', { ALL_PROXY: 'all:4' }), 'http://all:4/');
  assert.equal(through('https://hub/x', {}), null);
  assert.throws(() => through('https://hub/x', { HTTPS_PROXY: 'socks5://me:secret@x:1' }), {
    code: 'ERR_INVALID_OPTION',
    message:
      'HTTPS_PROXY: expected the address of a proxy, http:// or https://, received "socks5://x:1". Correct the variable, or take it away.',
  });
});

test('NO_PROXY: hosts with those below them, ports, addresses, and all', () => {
  const exempt = (url: string, list: string) => through(url, { ALL_PROXY: 'http://p:1', NO_PROXY: list }) === null;
  for (const [url, list, expected] of [
    ['https://hub.example', 'hub.example', true],
    ['https://cdn.hub.example', 'hub.example', true],
    ['https://cdn.hub.example', '.hub.example', true],
    ['https://cdn.hub.example', '*.hub.example', true],
    ['https://otherhub.example', 'hub.example', false],
    ['https://hub.example', 'a, hub.example', true],
    ['https://hub.example', 'hub.example:443', true],
    ['https://hub.example:8443', 'hub.example:443', false],
    ['http://127.0.0.1:9', '127.0.0.1', true],
    ['http://[::1]:9', '::1', true],
    ['http://[::1]:9', '[::1]:9', true],
    ['https://hub.example', '*', true],
    ['https://hub.example', '', false],
    ['https://HUB.example', 'Hub.Example', true],
  ] as const)
    assert.equal(exempt(url, list), expected, `${url} with ${list}`);
});

/** A proxy that forwards and tunnels, and wants a password. */
const seen: string[] = [];
const proxy = createServer((asked, answer) => {
  seen.push(`${asked.method} ${asked.url}`);
  if (asked.headers['proxy-authorization'] !== `Basic ${Buffer.from('me:secret').toString('base64')}`) {
    answer.writeHead(407).end();
    return;
  }
  const { 'proxy-authorization': _own, ...headers } = asked.headers;
  const forwarded = request(asked.url ?? '', { headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 0, reply.headers);
    reply.pipe(answer);
  });
  asked.pipe(forwarded);
});
proxy.on('connect', (asked, socket) => {
  seen.push(`CONNECT ${asked.url}`);
  if (asked.headers['proxy-authorization'] === undefined) {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    return;
  }
  const port = Number(asked.url?.split(':')[1]);
  const target = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    target.pipe(socket).pipe(target);
  });
  for (const end of [target, socket]) end.on('error', () => undefined);
});

let hub: TestHub;
/** The hub behind TLS, under a name that no other way leads to. */
const secure = createSecureServer({ key, cert }, (asked, answer) => {
  const forwarded = request(`${hub.endpoint}${asked.url}`, { headers: asked.headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 0, reply.headers);
    reply.pipe(answer);
  });
  forwarded.end();
});
before(async () => {
  hub = await TestHub.start();
  for (const server of [proxy, secure])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
after(async () => {
  for (const server of [proxy, secure]) {
    server.closeAllConnections();
    server.close();
  }
  await hub.stop();
});
beforeEach(() => {
  hub.reset();
  hub.add('acme/small', SMALL);
  seen.length = 0;
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

test('http: everything goes through the proxy but what is exempt', async () => {
  const folder = await freshFolder();
  const env = { HTTP_PROXY: `http://me:secret@127.0.0.1:${portOf(proxy)}`, NO_PROXY: 'localhost' };
  await fetched(clientOf(hub, folder, env), 'acme/small');
  await assertRight(folder, 'acme/small', SMALL.files);
  assert.ok(seen.length >= 6 && seen.every((line) => line.startsWith(`GET ${hub.endpoint}/`)), seen.join('\n'));
  assert.ok(
    hub.seen.some(({ place }) => place === 'bytes'),
    'the host of bytes was asked directly',
  );
});

test('a proxy that wants a password', async () => {
  const env = { HTTP_PROXY: `http://127.0.0.1:${portOf(proxy)}` };
  await assert.rejects(fetched(clientOf(hub, await freshFolder(), env), 'acme/small'), {
    name: 'HubError',
    message: /status 407/,
  });
});

/** In a process of its own, which trusts the certificate. */
async function pulledOverTls(env: Readonly<Record<string, string>>): Promise<string> {
  const folder = await freshFolder();
  const trusted = join(folder, 'cert.pem');
  await writeFile(trusted, cert);
  const script = `
    const { HubClient, hubSettings, fetchListing, pullFiles } = await import(${JSON.stringify(new URL('../../dist/hub/index.js', import.meta.url).href)});
    try {
      const client = new HubClient(hubSettings(${JSON.stringify(join(folder, 'cache'))}), { tryCount: 1, firstWaitMs: 1, mostWaitMs: 1 });
      const listing = await fetchListing(client, { repo: 'acme/small', revision: 'main' });
      const files = listing.files.filter(({ path }) => path === 'one.txt');
      await pullFiles(client, { revision: 'main', listing, files });
      console.log('fetched');
    } catch (error) { console.log(error.code, error.message); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted, HF_TOKEN: 'hf_secret', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const guard = setTimeout(() => child.kill('SIGKILL'), 60_000);
  let said = '';
  child.stdout.on('data', (part: Buffer) => {
    said += part;
  });
  await once(child, 'close');
  clearTimeout(guard);
  return said.trim();
}

test('TLS: through a tunnel, and the proxy sees neither path nor token', async () => {
  const HF_ENDPOINT = `https://hub.invalid:${portOf(secure)}`;
  const HTTPS_PROXY = `http://me:secret@127.0.0.1:${portOf(proxy)}`;
  assert.equal(await pulledOverTls({ HF_ENDPOINT, HTTPS_PROXY }), 'fetched');
  assert.ok(
    seen.length >= 3 && seen.every((line) => line === `CONNECT hub.invalid:${portOf(secure)}`),
    seen.join('\n'),
  );
  assert.ok(hub.seen.every(({ authorisation }) => authorisation === 'Bearer hf_secret'));
});

test('TLS: nothing comes any more, through the tunnel and without one', async () => {
  const HTTPS_PROXY = `http://me:secret@127.0.0.1:${portOf(proxy)}`;
  hub.fault = ({ place }) => (place === 'resolve' ? { stallAfter: 1 } : null);
  for (const env of [
    { HF_ENDPOINT: `https://hub.invalid:${portOf(secure)}`, HTTPS_PROXY, NO_PROXY: '' },
    { HF_ENDPOINT: `https://localhost:${portOf(secure)}`, HTTPS_PROXY, NO_PROXY: 'localhost' },
  ])
    assert.match(
      await pulledOverTls({ ...env, HF_HUB_DOWNLOAD_TIMEOUT: '0.5' }),
      /^ERR_HUB_UNREACHABLE Expected [\w.]+:\d+ to go on, received nothing for 0\.5 s\./,
    );
});

test('TLS: a proxy that refuses, none, and a certificate that nobody trusts', async () => {
  const HF_ENDPOINT = `https://hub.invalid:${portOf(secure)}`;
  assert.match(
    await pulledOverTls({ HF_ENDPOINT, HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}` }),
    /^ERR_HUB_UNREACHABLE Expected the proxy 127\.0\.0\.1:\d+ to open a connection, received status 407\. Write user and password/,
  );
  assert.match(await pulledOverTls({ HF_ENDPOINT, NO_PROXY: '*' }), /^ERR_HUB_UNREACHABLE .*(ENOTFOUND|EAI_AGAIN)/);
  const direct = `https://localhost:${portOf(secure)}`;
  assert.equal(await pulledOverTls({ HF_ENDPOINT: direct }), 'fetched');
  assert.match(
    await pulledOverTls({ HF_ENDPOINT: direct, NODE_EXTRA_CA_CERTS: '' }),
    /^ERR_HUB_UNREACHABLE .*self-signed certificate/,
  );
});
