/** Who may ask: names, origins, keys. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { loadTiny } from '../eta/tiny.js';
import { ADDRESS, Asked, type Json } from './served.js';

let eta: Eta;
const KEY = 'a-key-of-sixteen-or-more';
const question: Json = { messages: [{ role: 'user', content: 'What?' }], max_tokens: 2 };

before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

test('a name that is not this server is refused, so that no page elsewhere can point its own name here', async () => {
  const asked = new Asked(eta, { allowedHosts: ['Models.example'] });
  for (const host of ['localhost', 'localhost:8080', '127.0.0.1:8080', '127.0.0.5', '[::1]:8080', 'models.example:443'])
    assert.equal((await asked.get('/health', { host })).status, 200, host);
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '0.0.0.0:8080',
    '',
  ]) {
    const { status, body } = await asked.get('/health', { host });
    assert.deepEqual([status, body['error'].code], [403, 'ERR_HOST'], host);
  }
});

test('a page of another origin cannot make it work; its own page, and programs, can', async () => {
  const asked = new Asked(eta, { allowedOrigins: ['https://app.example'] });
  const status = async (headers: Record<string, string>) => (await asked.chat(question, { headers })).status;
  assert.equal(await status({}), 200);
  assert.equal(await status({ origin: ADDRESS, host: '127.0.0.1:8080' }), 200);
  assert.equal(await status({ origin: 'https://app.example' }), 200);
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:9999', 'file://', 'http://localhost:8080'])
    assert.equal(await status({ origin, host: '127.0.0.1:8080' }), 403, origin);
  assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403);
});

test('a browser is told of allowed origins alone', async () => {
  const asked = new Asked(eta, { allowedOrigins: ['https://app.example'] });
  const { headers } = await asked.get('/health', { origin: 'https://app.example' });
  assert.equal(headers.get('access-control-allow-origin'), 'https://app.example');
  assert.equal(headers.get('vary'), 'Origin');
  const { headers: others } = await asked.get('/health', { origin: 'https://evil.example' });
  assert.equal(others.get('access-control-allow-origin'), null);
  const preflight = async (origin: string) =>
    await asked.server.fetch(
      new Request(`${ADDRESS}/v1/chat/completions`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-headers': 'authorization', 'access-control-request-method': 'POST' },
      }),
    );
  const allowed = await preflight('https://app.example');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'authorization');
  assert.equal((await preflight('https://evil.example')).status, 403);
});

test('every origin may be allowed, beside a key alone', async () => {
  for (const origin of ['*', 'null'])
    assert.throws(() => new Asked(eta, { allowedOrigins: [origin] }), {
      code: 'ERR_INVALID_OPTION',
      message:
        /allowedOrigins: expected origins by their names.*received '.*' and no key\. Name them, or give an apiKey\./,
    });
  const asked = new Asked(eta, { allowedOrigins: ['*'], apiKey: KEY });
  const authorization = `Bearer ${KEY}`;
  for (const origin of ['https://any.example', 'null']) {
    const { status, headers } = await asked.chat(question, { headers: { origin, authorization } });
    assert.equal(status, 200);
    assert.equal(headers.get('access-control-allow-origin'), '*');
    assert.equal(headers.get('access-control-allow-credentials'), null);
    assert.equal((await asked.chat(question, { headers: { origin } })).status, 401, 'the key is what lets in');
  }
  const preflight = new Request(`${ADDRESS}/v1/chat/completions`, {
    method: 'OPTIONS',
    headers: { origin: 'https://any.example', 'access-control-request-headers': 'authorization' },
  });
  const answer = await asked.server.fetch(preflight);
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-headers')], [204, 'authorization']);
});

test('what is no origin is refused, and not taken to match nothing', () => {
  for (const origin of [
    'app.example',
    'https://app.example/page',
    'https://*.app.example/*',
    'https://*.app.example',
    'https://me@app.example',
    ' https://app.example',
    'https://app.example:99999',
    '',
    'https://',
  ])
    assert.throws(() => new Asked(eta, { allowedOrigins: [origin] }), { code: 'ERR_INVALID_OPTION' }, origin);
});

test('the same of hosts; what is one in another form is taken', async () => {
  for (const host of [
    'http://my.example',
    'my.example:8080',
    'my.example/',
    ' my.example',
    '',
    '*.example',
    'a b',
    'x@y',
  ])
    assert.throws(
      () => new Asked(eta, { allowedHosts: [host] }),
      { code: 'ERR_INVALID_OPTION', message: /^createServer options: allowedHosts\.0: expected a host such as/ },
      host,
    );
  for (const place of ['http://pictures.example', 'pictures.example/a', 'a b', '', 'x:99999'])
    assert.throws(() => new Asked(eta, { pictureHosts: [place] }), { code: 'ERR_INVALID_OPTION' }, place);
  const asked = new Asked(eta, { allowedHosts: ['[2001:DB8:0::1]', 'Bücher.Example', 'a.example.'] });
  for (const host of ['[2001:db8::1]:80', '[2001:db8:0:0::1]', 'xn--bcher-kva.example', 'a.example.:8080'])
    assert.equal((await asked.get('/health', { host })).status, 200, host);
  assert.equal((await asked.get('/health', { host: '[2001:db8::2]' })).status, 403);
});

test('origins are taken in the form in which browsers send them', async () => {
  const allowedOrigins = ['HTTPS://App.Example:443/', 'http://[::0001]:3000', 'Tauri://localhost'];
  const asked = new Asked(eta, { allowedOrigins });
  for (const origin of ['https://app.example', 'http://[::1]:3000', 'tauri://localhost'])
    assert.equal((await asked.chat(question, { headers: { origin } })).status, 200, origin);
  assert.throws(() => new Asked(eta, { allowedOrigins: ['NULL'] }), { code: 'ERR_INVALID_OPTION' }, 'and not let in');
});

test('a key is asked for on every route that tells or does anything', async () => {
  const asked = new Asked(eta, { apiKey: KEY });
  for (const path of ['/v1/models', '/metrics', '/eta/facts', '/openapi.json', '/v1/models/x']) {
    const { status, body, headers } = await asked.get(path);
    assert.deepEqual([status, body['error'].code, headers.get('www-authenticate')], [401, 'ERR_KEY', 'Bearer'], path);
  }
  assert.equal((await asked.get('/health')).status, 200);
  for (const [headers, received] of [
    [{}, 'none'],
    [{ authorization: KEY }, 'a header of another form'],
    [{ authorization: `Bearer ${KEY}x` }, 'another'],
  ] as const) {
    const { status, body } = await asked.chat(question, { headers });
    assert.equal(status, 401);
    assert.ok(body['error'].message.includes(`'Authorization: Bearer KEY', received ${received}.`), received);
  }
  for (const said of [KEY.slice(1), `${KEY}x`, KEY.toUpperCase(), ''])
    assert.equal((await asked.chat(question, { headers: { authorization: `Bearer ${said}` } })).status, 401, said);
  assert.equal((await asked.chat(question, { headers: { authorization: `Basic ${KEY}` } })).status, 401);
  assert.equal((await asked.chat(question, { headers: { authorization: `bearer ${KEY}` } })).status, 200);
});

test('a key that is short, or that no header can hold, is refused', () => {
  for (const apiKey of ['short', ' '.repeat(20), `${KEY}\n`, 'schlüssel-schlüssel'])
    assert.throws(() => new Asked(eta, { apiKey }), { code: 'ERR_INVALID_OPTION' });
});

test('an address of an app has no name that could be pointed elsewhere', async () => {
  const { server } = new Asked(eta);
  const response = await server.fetch(new Request('eta://app/health'));
  assert.equal(response.status, 200);
});

test('routes that are none, and methods that are none', async () => {
  const faults: unknown[] = [];
  const asked = new Asked(eta, { onError: (error) => faults.push(error) });
  const { status, body } = await asked.get('/v1/nothing');
  assert.deepEqual([status, body['error'].code], [404, 'ERR_ROUTE']);
  const { status: wrong, headers } = await asked.get('/v1/chat/completions');
  assert.deepEqual([wrong, headers.get('allow')], [405, 'POST']);
  for (const path of [
    '/eta/gallery/..%2f..%2fregistry.json',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/../../package.json',
    '/assets', // a folder
    '/assets/',
  ])
    assert.equal((await asked.get(path)).status, 404, path);
  assert.deepEqual(faults, []);
});
