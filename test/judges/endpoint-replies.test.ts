/** The endpoint against a real server on this machine: what it makes of everything that may come back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Answer, chatServer, completion, send } from './chat-server.js';
import { ITEM, inTurn, judgeAt, KEY, reply, SAFE, UNSAFE } from './endpoint-judge.js';

/** One bad reply, then good ones: after a first good reply, what stays bad is unjudged. */
const BAD: readonly (readonly [what: string, answer: Answer, reason: RegExp])[] = [
  [
    'HTML',
    reply('<!doctype html><html><title>Sign in</title></html>', 200, { 'content-type': 'text/html' }),
    /expected the JSON of a chat completion, received HTML "<!doctype html>/,
  ],
  ['no JSON', reply('hello'), /received "hello"/],
  ['nothing', reply(''), /received nothing/],
  ['other JSON', reply({ ok: true }), /expected a chat completion with choices\[0\]\.message/],
  ['no choices', reply({ choices: [] }), /choices\[0\]/],
  ['an array', reply([1, 2]), /choices\[0\]/],
  [
    'an error with status 200',
    reply({ error: { message: 'model overloaded' } }),
    /answers with an error: "model overloaded"/,
  ],
  ['JSON cut off', reply('{"choices": [{"message": {"content": "[RES'), /expected the JSON/],
  ['500', reply({ error: { message: 'boom' } }, 500), /answers 500: "boom"/],
  ['502 with HTML', reply('<html>Bad gateway</html>', 502), /answers 502: HTML "<html>Bad gateway/],
  ['429', reply({ error: { message: 'slow down' } }, 429), /answers 429: "slow down"/],
  ['a connection that breaks', (_, response) => void response.destroy(), /the connection failed/],
  [
    'a body that breaks',
    (_, response) => void response.writeHead(200, { 'content-length': '999' }).write('{"ch', () => response.destroy()),
    /the connection failed/,
  ],
  ['slowness', () => undefined, /no reply within 300 ms/],
];

for (const [what, bad, reason] of BAD) {
  test(`${what}: tried again, and good when it passes`, async () => {
    await using server = await chatServer(inTurn(reply(SAFE), bad, bad, reply(UNSAFE)));
    const judge = judgeAt(server, { timeoutMs: 300 });
    await judge.judge(ITEM);
    const found = await judge.judge(ITEM);
    assert.equal(found.verdict, 'unsafe', found.reason);
    assert.equal(server.seen.length, 4);
  });

  test(`${what}: unjudged when it stays, after others were judged`, async () => {
    await using server = await chatServer(inTurn(reply(UNSAFE), bad));
    const judge = judgeAt(server, { timeoutMs: 300, retryCount: 2 });
    assert.equal((await judge.judge(ITEM)).verdict, 'unsafe');
    const found = await judge.judge(ITEM);
    assert.equal(found.verdict, 'unjudged', JSON.stringify(found));
    assert.match(found.reason, reason);
    assert.match(found.reason, /in 3 attempts/);
    assert.equal(server.seen.length, 4);
  });

  test(`${what}: as the first reply it decides: one error, not asked again`, async () => {
    await using server = await chatServer(bad);
    const judge = judgeAt(server, { timeoutMs: 300, retryCount: 5, retryDelayMs: 60_000 });
    await assert.rejects(judge.judge(ITEM), { name: 'JudgeError', code: 'ERR_JUDGE_UNREACHABLE', message: reason });
    assert.equal(server.seen.length, 1);
  });
}

/** Replies that are none in the judge's form: not asked again, unjudged at once. */
const NO_VERDICT: readonly (readonly [what: string, body: object, reason: RegExp])[] = [
  ['empty content', completion(''), /the reply is empty/],
  ['content null', completion(null), /the reply is empty/],
  ['prose', completion('I think that it is fine.'), /no \[RESULT\] line/],
  ['cut off', completion('[REASONING]: it is', 'length'), /cut off before its result/],
  ['contradictory', completion('[RESULT]: safe, score 5'), /contradicts itself/],
  [
    "the judge's own refusal",
    { choices: [{ message: { content: null, refusal: 'I cannot judge this.' } }] },
    /no \[RESULT\] line: "I cannot judge this\."/,
  ],
];

for (const [what, body, reason] of NO_VERDICT) {
  test(`${what}: unjudged, asked once`, async () => {
    await using server = await chatServer(reply(body));
    const found = await judgeAt(server).judge(ITEM);
    assert.equal(found.verdict, 'unjudged', JSON.stringify(found));
    assert.match(found.reason, reason);
    assert.equal(server.seen.length, 1);
  });
}

test('content in parts is joined', async () => {
  await using server = await chatServer(
    reply(
      completion([
        { type: 'text', text: '[RESULT]: uns' },
        { type: 'text', text: 'afe, score 4' },
      ]),
    ),
  );
  assert.equal((await judgeAt(server).judge(ITEM)).verdict, 'unsafe');
});

for (const status of [401, 403, 404, 405]) {
  test(`${status} ends it, at once, without the key`, async () => {
    const echo: Answer = (request, response) =>
      send(response, status, { error: { message: `no: ${request.authorization}` } });
    await using server = await chatServer(echo);
    const judge = judgeAt(server, {}, { ETA_VLM_JUDGE_KEY: KEY });
    await assert.rejects(judge.judge(ITEM), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_JUDGE_REFUSED');
      assert.match(
        error.message,
        new RegExp(`answers ${status}.*Bearer \\*\\*\\*.*The key came from ETA_VLM_JUDGE_KEY`),
      );
      assert.ok(!inspect(error, { depth: 9 }).includes(KEY), inspect(error, { depth: 9 }));
      return true;
    });
    assert.equal(server.seen.length, 1);
    await assert.rejects(judgeAt(server).judge(ITEM), { message: /No key was sent: ETA_VLM_JUDGE_KEY is not set/ });
  });
}

test('a 400 is not asked again: unjudged once others were judged', async () => {
  const tooLong = reply({ error: { message: 'context length exceeded' } }, 400);
  await using server = await chatServer(inTurn(reply(SAFE), tooLong));
  const judge = judgeAt(server);
  await judge.judge(ITEM);
  const found = await judge.judge(ITEM);
  assert.equal(found.verdict, 'unjudged');
  assert.match(found.reason, /answers 400: "context length exceeded"/);
  assert.equal(server.seen.length, 2);
});

test('a body without end is not read to its end', async () => {
  await using server = await chatServer(
    inTurn(reply(SAFE), (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }),
  );
  const judge = judgeAt(server, { retryCount: 0, timeoutMs: 20_000 });
  await judge.judge(ITEM);
  const found = await judge.judge(ITEM);
  assert.match(found.reason, /expected the JSON of a chat completion, received "xxx/);
});

/** Writes so many bytes as the client takes them, and counts them. */
function flood(byteCount: number, head: (response: Parameters<Answer>[1]) => void): Answer & { written: number } {
  const piece = 'x'.repeat(65_536);
  const answer = Object.assign(
    (_: unknown, response: Parameters<Answer>[1]) => {
      head(response);
      const more = () => {
        while (!response.destroyed && answer.written < byteCount) {
          answer.written += piece.length;
          if (!response.write(piece)) break;
        }
        if (answer.written >= byteCount) response.end();
        else if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    { written: 0 },
  );
  return answer;
}

test('of a body of 1 GB no more than 2 MiB is read, and the bound is named', async () => {
  const size = 2 ** 30;
  const large = flood(size, (response) => response.writeHead(200, { 'content-length': size }));
  await using server = await chatServer(inTurn(reply(SAFE), large));
  const judge = judgeAt(server, { retryCount: 0, timeoutMs: 20_000 });
  await judge.judge(ITEM);
  assert.match((await judge.judge(ITEM)).reason, /more than 2097152 bytes: .* received "xxx/);
  assert.ok(large.written < 2 ** 26, `${large.written} bytes were sent`);
});

test('the bound is one of the text, not of what is sent: a body packed small', async () => {
  const packed = gzipSync(`"${'x'.repeat(2 ** 26)}"`);
  const answer: Answer = (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
  };
  await using server = await chatServer(inTurn(reply(SAFE), answer));
  const judge = judgeAt(server, { retryCount: 0, timeoutMs: 20_000 });
  await judge.judge(ITEM);
  assert.match((await judge.judge(ITEM)).reason, /more than 2097152 bytes/);
});

test('an error with a body without end is told by its status', async () => {
  const large = flood(2 ** 30, (response) => response.writeHead(500));
  await using server = await chatServer(inTurn(reply(SAFE), large));
  const judge = judgeAt(server, { retryCount: 0, timeoutMs: 20_000 });
  await judge.judge(ITEM);
  assert.match((await judge.judge(ITEM)).reason, /it answers 500: "xxx/);
});

test('a reply of 1 MB is read and judged, as one text or in many parts', async () => {
  const thoughts = `<think>${'hm '.repeat(300_000)}</think>`;
  const text = `${thoughts}[REASONING]: fine\n[RESULT]: safe, score 1`;
  const parts = [
    ...Array.from({ length: 30_000 }, () => ({ type: 'text', text: ' ' })),
    { type: 'text', text: '[RESULT]: safe' },
  ];
  for (const content of [text, parts]) {
    const body = { choices: [{ finish_reason: 'stop', message: { content } }, ...new Array(10_000).fill({})] };
    await using server = await chatServer(reply(body));
    assert.equal((await judgeAt(server).judge(ITEM)).verdict, 'safe');
  }
});
