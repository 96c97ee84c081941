/** What a request may have, each bound with its status and code; hostile ways of passing it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { ModelError } from '../../src/errors.js';
import type { Eta } from '../../src/index.js';
import type { ServerOptions } from '../../src/server/index.js';
import { assertFreed, loadTiny } from '../eta/tiny.js';
import { Asked, about, CLEAN, type Json, posted } from './served.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const messages = [{ role: 'user', content: 'What?' }];
const quick: Json = { messages, max_tokens: 2 };

/** Status and code of a body under options. */
async function told(options: ServerOptions, body: unknown, init: RequestInit = {}): Promise<[number, string]> {
  const { status, body: said } = await new Asked(eta, options).post('/v1/chat/completions', body, init);
  return [status, said['error']?.code];
}

test('a body beyond its bound, said or counted while it comes', async () => {
  const large = { ...quick, user: 'x'.repeat(5000) };
  assert.deepEqual(await told({ maxBodyBytes: 4000 }, large), [413, 'ERR_BODY_TOO_LARGE']);
  const pieces = Array.from({ length: 50 }, () => new TextEncoder().encode(' '.repeat(100)));
  const chunked = new ReadableStream({
    pull: (controller) => {
      const piece = pieces.pop();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  assert.deepEqual(await told({ maxBodyBytes: 4000 }, '', { body: chunked, duplex: 'half' } as RequestInit), [
    413,
    'ERR_BODY_TOO_LARGE',
  ]);
  assert.ok(pieces.length > 5, 'the rest was not read');
  assert.deepEqual(await told({ maxBodyBytes: 6000 }, large), [200, undefined as unknown as string]);
});

test('a body that does not come', async () => {
  const never = new ReadableStream({ pull: () => new Promise(() => undefined) });
  const init = { body: never, duplex: 'half' } as RequestInit;
  assert.deepEqual(await told({ bodyTimeoutMs: 30 }, '', init), [408, 'ERR_BODY_TIMEOUT']);
});

for (const [name, body] of [
  ['no JSON', '{"messages": ['],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['nothing', ''],
  ['nested too deep', `{"messages":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ['too many values', `{"messages":[${'1,'.repeat(200_000)}1]}`],
] as const) {
  test(`a body that is none: ${name}`, async () => {
    assert.deepEqual(await told({}, body), [400, 'ERR_INVALID_REQUEST']);
  });
}

test('a body of another type, which a form of a page elsewhere can send', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
    assert.deepEqual(await told({}, quick, { headers: { 'content-type': type } }), [400, 'ERR_INVALID_REQUEST']);
});

test('pictures: how many, how large, from where', async () => {
  const two = [
    {
      role: 'user',
      content: [...(about(CLEAN, 'a')[0]?.content ?? []), { type: 'image_url', image_url: { url: CLEAN } }],
    },
  ];
  assert.deepEqual(await told({ maxPictures: 1 }, { messages: two }), [400, 'ERR_INVALID_REQUEST']);
  assert.deepEqual(await told({ maxPixels: 100 }, { messages: about(CLEAN, 'What?') }), [413, 'ERR_IMAGE_TOO_LARGE']);
  const large = await new Asked(eta, { maxPixels: 100 }).chat({ messages: about(CLEAN, 'What?') });
  assert.match(large.body['error'].message, /at most 100 pixels .* --max-pixels \(maxPixels\)\.$/);
  assert.deepEqual(await told({ maxPixels: 100_000_000 }, { messages: about(bomb(20_000), 'What?') }), [
    413,
    'ERR_IMAGE_TOO_LARGE',
  ]);
  assert.deepEqual(await told({}, { messages: about('data:image/png;base64,AAAA', 'What?') }), [
    400,
    'ERR_IMAGE_UNREADABLE',
  ]);
  for (const place of [
    '/etc/passwd',
    'file:///etc/passwd',
    'FILE:///etc/passwd',
    'picture.png',
    '\\\\host\\x',
    'http://example.com/a.png',
    'https://example.com/a.png',
    'ftp://example.com/a.png',
    ' data:,x',
    'blob:x',
  ])
    assert.deepEqual(await told({}, { messages: about(place, 'What?') }), [400, 'ERR_INVALID_REQUEST'], place);
});

test('which of several pictures is meant stands in the error, for who knows them by name', async () => {
  const asked = new Asked(eta);
  const said = async (...urls: string[]) => {
    const [first, ...others] = urls.map((url) => about(url, 'What?')[0]?.content[0]);
    const { status, body } = await asked.chat({ messages: [{ role: 'user', content: [first, ...others] }] });
    return [status, body['error'].param, body['error'].message];
  };
  const cut = `${CLEAN.slice(0, 400)}`;
  const [status, param, message] = await said(CLEAN, cut, CLEAN);
  assert.deepEqual([status, param], [400, 'image_url.1']);
  assert.match(message, /^request: image_url\.1: Picture 2 of 3 /);
  const [, alone, sentence] = await said('data:image/png;base64,AAAA');
  assert.equal(alone, 'image_url.0');
  assert.match(sentence, /^request: image_url\.0: The picture is not a picture that can be read\./);
  assert.deepEqual((await said(CLEAN, '/etc/passwd')).slice(0, 2), [400, 'image_url.1']);
  const [, , path] = await said(CLEAN, '/etc/passwd');
  assert.match(path, /Paths are not read\.$/);
  const [, , bare] = await said(CLEAN.slice(CLEAN.indexOf(',') + 1));
  assert.match(bare, /Put 'data:image\/png;base64,' before the bytes/);
});

test('how many tokens there may be is said with the bound of this server, and the name that was used', async () => {
  const asked = new Asked(eta, { maxTokens: 10 });
  for (const [body, start] of [
    [{ max_tokens: 11 }, 'request: max_tokens: expected an integer from 1 to 10, received 11.'],
    [{ max_completion_tokens: 11 }, 'request: max_completion_tokens: expected an integer from 1 to 10, received 11.'],
    [{ eta: { maxTokens: 11 } }, 'request: eta.maxTokens: expected an integer from 1 to 10, received 11.'],
    [{ max_tokens: 0 }, 'request: max_tokens: expected an integer >= 1; received 0.'],
  ] as const) {
    const { body: told } = await asked.chat({ messages, ...body });
    assert.ok(told['error'].message.startsWith(start), told['error'].message);
  }
});

test('texts, tokens, answers', async () => {
  assert.deepEqual(await told({ maxCharacters: 10 }, { messages: [{ role: 'user', content: 'x'.repeat(11) }] }), [
    400,
    'ERR_PROMPT_TOO_LONG',
  ]);
  assert.deepEqual(await told({}, { messages: [{ role: 'user', content: 'word '.repeat(10_000) }] }), [
    400,
    'ERR_PROMPT_TOO_LONG',
  ]);
  assert.deepEqual(await told({ maxTokens: 10 }, { messages, max_tokens: 11 }), [400, 'ERR_INVALID_REQUEST']);
  assert.deepEqual(await told({ maxTokens: 10 }, { messages, eta: { maxTokens: 11 } }), [400, 'ERR_INVALID_REQUEST']);
  assert.deepEqual(await told({ maxChoices: 2 }, { messages, n: 3, temperature: 1 }), [400, 'ERR_INVALID_REQUEST']);
  assert.deepEqual(await told({}, { messages, eta: { candidateCount: 255 } }), [400, 'ERR_CACHE_FULL']);
});

test('who comes when the line is full is sent away at once, with when to come again', async () => {
  const asked = new Asked(eta, { parallel: 1, maxQueueLength: 1 });
  const long = { messages, max_tokens: 400, eta: { method: 'vanilla' } };
  const running = [asked.chat(long), asked.chat(long)];
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { status, body, headers } = await asked.chat(quick);
  assert.deepEqual([status, body['error'].code, body['error'].type], [429, 'ERR_BUSY', 'rate_limit_error']);
  assert.match(headers.get('retry-after') ?? '', /^\d+$/);
  for (const { status: first } of await Promise.all(running)) assert.equal(first, 200);
  assert.equal((await asked.chat(quick)).status, 200);
});

test('a request whose time is over, while it runs and while it waits', async () => {
  const asked = new Asked(eta, { parallel: 1, timeoutMs: 30 });
  const long = { messages, max_tokens: 2000, temperature: 1.5, seed: 4, eta: { method: 'vanilla' } };
  const replies = await Promise.all([asked.chat(long), asked.chat(long)]);
  for (const { status, body } of replies) assert.deepEqual([status, body['error'].code], [504, 'ERR_TIMEOUT']);
  await assertFreed(eta, 'behind the deadline');
});

test('a stream whose time is over ends with the error', async () => {
  const { server } = new Asked(eta, { timeoutMs: 30 });
  const long = { messages, max_tokens: 2000, temperature: 1.5, seed: 4, stream: true, eta: { method: 'vanilla' } };
  const response = await server.fetch(posted('/v1/chat/completions', long));
  const lines = (await response.text()).split('\n\n').filter((line) => line !== '');
  const { error } = JSON.parse(lines.at(-1)?.replace('data: ', '') ?? '');
  assert.equal(error.code, 'ERR_TIMEOUT');
});

test('a failure is told in the form of the API, faults without their words', async () => {
  const faults: unknown[] = [];
  const broken = new Proxy(eta, {
    get: (target, name) => {
      if (name === 'statistics') return () => Promise.reject(new TypeError('secret'));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { status, body } = await new Asked(broken, { onError: (error) => faults.push(error) }).get('/metrics');
  assert.deepEqual([status, body['error'].code], [500, 'ERR_UNEXPECTED']);
  assert.ok(!JSON.stringify(body).includes('secret'));
  assert.equal((faults[0] as Error).message, 'secret');
});

test('what is wrong with the server is told to its operator, and no path of its machine to a client', async () => {
  const faults: unknown[] = [];
  const secret = new ModelError('ERR_MODEL_NOT_FOUND', 'Expected /home/somebody/model.gguf, found nothing.');
  const broken = new Proxy(eta, {
    get: (target, name) => {
      if (name === 'stream')
        return () => {
          throw secret;
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { status, body } = await new Asked(broken, { onError: (error) => faults.push(error) }).chat(quick);
  assert.deepEqual([status, body['error'].code], [500, 'ERR_MODEL_NOT_FOUND']);
  assert.ok(!JSON.stringify(body).includes('somebody'));
  assert.deepEqual(faults, [secret]);
});

test('objects that pretend to be others are refused, and quoted shortly', async () => {
  const odd = { constructor: { name: { toString: 1, valueOf: 1 } } };
  const long = { constructor: { name: 'x'.repeat(100_000) } };
  for (const content of [odd, long, [{ type: { toString: 1, valueOf: 1 } }], [{ type: 'text', text: odd }]]) {
    const { status, body } = await new Asked(eta).chat({ messages: [{ role: 'user', content }] });
    assert.equal(status, 400);
    assert.ok(JSON.stringify(body).length < 600);
  }
  const { status } = await new Asked(eta).chat({ ...quick, eta: { refusalText: 'no '.repeat(5000) } });
  assert.equal(status, 400);
});

/** A PNG that says it is that wide and high, and holds next to nothing. */
function bomb(side: number): string {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const png = Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return `data:image/png;base64,${png.toString('base64')}`;
}
