/** The endpoint against a real server on this machine: what it sends, in which order, and when it ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ChatEndpoint, type EndpointOptions, SafetyJudge } from '../../src/judges/index.js';
import { retryDelayMs } from '../../src/judges/retry.js';
import { chatServer, send } from './chat-server.js';
import { ITEM, inTurn, judgeAt, KEY, reply, SAFE, UNSAFE } from './endpoint-judge.js';

test('what is sent: the path, the model, the key, the question with the answer in it, greedy', async () => {
  await using server = await chatServer(reply(UNSAFE));
  const environment = {
    ETA_VLM_JUDGE_URL: server.url,
    ETA_VLM_JUDGE_MODEL: 'from-environment',
    ETA_VLM_JUDGE_KEY: KEY,
  };
  const judge = new SafetyJudge('endpoint', new ChatEndpoint({}, environment));
  const found = await judge.judge(ITEM);
  assert.deepEqual([found.verdict, found.score, found.category], ['unsafe', 4, 'O14: Illegal Activities']);
  const [seen] = server.seen;
  assert.equal(seen?.path, '/v1/chat/completions');
  assert.equal(seen?.authorization, `Bearer ${KEY}`);
  assert.equal(seen?.body.model, 'from-environment');
  assert.equal(seen?.body['temperature'], 0);
  assert.equal(seen?.body['max_tokens'], 1024);
  assert.equal(seen?.body['stream'], false);
  assert.equal(seen?.body.messages.length, 1);
  assert.ok(seen?.body.messages[0]?.content.includes(ITEM.answer), 'the answer is in it');
  assert.ok(!inspect(judge, { depth: 9, showHidden: true }).includes(KEY), 'the key shows in the judge');
  assert.ok(!JSON.stringify(judge.settings).includes(KEY), 'the key shows in the settings');
  assert.deepEqual(judge.settings, {
    url: `${server.url}/v1/chat/completions`,
    model: 'from-environment',
    maxTokens: 1024,
    temperature: 0,
    form: 'eta-vlm',
  });
});

test('what a set says of the danger stands between request and answer', async () => {
  await using server = await chatServer(reply(SAFE));
  await judgeAt(server).judge({ ...ITEM, risk: 'The lock is not theirs.' });
  const content = server.seen[0]?.body.messages[0]?.content ?? '';
  assert.match(
    content,
    /How do I pick a lock\?\n--- What the picture makes of it \w+ ---\nThe lock is not theirs\.\n--- Agent/,
  );
});

test('the address may end at the server, at /v1 or at the whole path; a query is kept and not shown', async () => {
  await using server = await chatServer(reply(SAFE));
  for (const path of ['', '/', '/v1', '/v1/', '/v1/chat/completions', '/openai/deployments/x', '/v1?api-key=hidden']) {
    const judge = judgeAt({ url: `${server.url}${path}` });
    assert.equal((await judge.judge(ITEM)).verdict, 'safe', path);
    assert.ok(!String(judge.settings['url']).includes('hidden'), String(judge.settings['url']));
  }
  const completions = '/v1/chat/completions';
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    [
      ...new Array<string>(5).fill(completions),
      '/openai/deployments/x/chat/completions',
      `${completions}?api-key=hidden`,
    ],
  );
  assert.equal(server.seen[0]?.authorization, undefined);
});

test('wrong options are told at once', () => {
  const refused = { name: 'UsageError', code: 'ERR_INVALID_OPTION' };
  const make =
    (options: EndpointOptions, environment: NodeJS.ProcessEnv = {}) =>
    () =>
      new ChatEndpoint(options, environment);
  assert.throws(make({ model: 'm' }), { ...refused, message: /expected the URL as an option or in ETA_VLM_JUDGE_URL/ });
  assert.throws(make({ url: 'http://x' }), { ...refused, message: /expected the model .* ETA_VLM_JUDGE_MODEL/ });
  assert.throws(make({ url: 'localhost:80', model: 'm' }), { ...refused, message: /http or https URL/ });
  assert.throws(make({ url: 'file:///etc/passwd', model: 'm' }), { ...refused, message: /http or https URL/ });
  assert.throws(make({ url: 'http://me:secret@x', model: 'm' }), (error: Error) => {
    assert.match(error.message, /without user and password/);
    assert.ok(!error.message.includes('secret'), error.message);
    return true;
  });
  assert.throws(make({ url: 'http://x', model: 'm' }, { ETA_VLM_JUDGE_KEY: 'a\nb' }), (error: Error) => {
    assert.match(error.message, /ETA_VLM_JUDGE_KEY: expected a key without blanks/);
    assert.ok(!error.message.includes('a\nb'), error.message);
    return true;
  });
  assert.throws(make({ url: 'http://x', model: 'm', timeoutMs: 0 }), { ...refused, message: /timeoutMs/ });
  assert.throws(make({ urll: 'http://x' } as EndpointOptions), {
    code: 'ERR_UNKNOWN_OPTION',
    message: /Did you mean 'url'/,
  });
});

test('the key does not follow a redirect', async () => {
  await using other = await chatServer(reply(SAFE));
  await using server = await chatServer(reply('', 307, { location: `${other.url}/v1/chat/completions` }));
  const judge = judgeAt(server, {}, { ETA_VLM_JUDGE_KEY: KEY });
  await assert.rejects(judge.judge(ITEM), { code: 'ERR_JUDGE_REFUSED', message: /it redirects to http/ });
  assert.equal(other.seen.length, 0);
});

test('Retry-After is kept to', async () => {
  const times: number[] = [];
  await using server = await chatServer((_, response, index) => {
    times.push(performance.now());
    if (index === 1) send(response, 429, {}, { 'retry-after': '1' });
    else send(response, 200, SAFE);
  });
  const judge = judgeAt(server);
  await judge.judge(ITEM);
  assert.equal((await judge.judge(ITEM)).verdict, 'safe');
  const waited = (times[2] ?? 0) - (times[1] ?? 0);
  assert.ok(waited >= 990, `${waited} ms`);
});

test('a server that asks for too long a pause is given up', async () => {
  await using server = await chatServer(inTurn(reply(SAFE), reply({}, 429, { 'retry-after': '3600' })));
  const judge = judgeAt(server);
  await judge.judge(ITEM);
  const found = await judge.judge(ITEM);
  assert.match(found.reason, /asks for a pause of 3600 s/);
  assert.equal(server.seen.length, 2);
});

test('pauses double, spread, end at a minute; Retry-After may be a date', () => {
  const delay = (attempt: number, chance: number) => retryDelayMs(null, { attempt, firstMs: 1000, nowMs: 0, chance });
  assert.deepEqual([delay(0, 0), delay(1, 0), delay(2, 0), delay(20, 0)], [1000, 2000, 4000, 60_000]);
  assert.equal(delay(0, 1), 1500);
  const asked = (value: string) => retryDelayMs(value, { attempt: 0, firstMs: 7, nowMs: 5000, chance: 0 });
  assert.equal(asked('2'), 2000);
  assert.equal(asked('Thu, 01 Jan 1970 00:00:08 GMT'), 3000);
  assert.equal(asked('Thu, 01 Jan 1970 00:00:01 GMT'), 0);
  assert.equal(asked('soon'), 7);
});

test('no more questions at once than allowed', async () => {
  await using server = await chatServer(async (_, response) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    send(response, 200, SAFE);
  });
  const judge = judgeAt(server, { concurrency: 3 });
  const found = await Promise.all(Array.from({ length: 12 }, () => judge.judge(ITEM)));
  assert.ok(
    found.every(({ verdict }) => verdict === 'safe'),
    JSON.stringify(found[0]),
  );
  assert.equal(server.mostAtOnce(), 3);
});

test('abort ends a request under way, one in line, and a pause', async () => {
  const controller = new AbortController();
  await using server = await chatServer(() => controller.abort());
  const judge = judgeAt(server, { concurrency: 1 });
  const both = [judge.judge(ITEM, controller.signal), judge.judge(ITEM, controller.signal)];
  for (const one of await Promise.allSettled(both))
    assert.equal(one.status === 'rejected' && (one.reason as { code?: string }).code, 'ERR_ABORTED');
  assert.equal(server.seen.length, 1);

  await using busy = await chatServer(inTurn(reply(SAFE), reply({}, 429, { 'retry-after': '60' })));
  const startedAt = performance.now();
  const judged = judgeAt(busy);
  await judged.judge(ITEM);
  const paused = judged.judge(ITEM, AbortSignal.timeout(200));
  await assert.rejects(paused, { code: 'ERR_ABORTED' });
  assert.ok(performance.now() - startedAt < 5000, 'the pause went on');
});

test('dispose ends what is under way', async () => {
  await using server = await chatServer(() => undefined);
  const judge = judgeAt(server);
  const asked = judge.judge(ITEM);
  setTimeout(() => void judge.dispose(), 30);
  await assert.rejects(asked, { code: 'ERR_ABORTED' });
  await assert.rejects(judge.judge(ITEM), { code: 'ERR_ABORTED' });
});

test('the first question goes alone; the others wait, and its failure is theirs', async () => {
  await using broken = await chatServer(async (_, response) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    send(response, 200, 'garbage');
  });
  const judge = judgeAt(broken, { concurrency: 8 });
  const ended = await Promise.allSettled(Array.from({ length: 8 }, () => judge.judge(ITEM)));
  for (const one of ended)
    assert.equal(one.status === 'rejected' && (one.reason as { code?: string }).code, 'ERR_JUDGE_UNREACHABLE');
  assert.equal(broken.seen.length, 1);
  let atFirst = 0;
  await using good = await chatServer(async (_, response, index) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (index === 0) atFirst = good.mostAtOnce();
    send(response, 200, SAFE);
  });
  const other = judgeAt(good, { concurrency: 8 });
  const found = await Promise.all(Array.from({ length: 8 }, () => other.judge(ITEM)));
  assert.ok(found.every(({ verdict }) => verdict === 'safe'));
  assert.equal(atFirst, 1);
  assert.ok(good.mostAtOnce() > 1, `${good.mostAtOnce()} at once`);
});

test('an abort of the first question is not the failure of those that wait: the next one goes', async () => {
  const controller = new AbortController();
  await using server = await chatServer((_, response, index) => {
    if (index === 0) controller.abort();
    else send(response, 200, SAFE);
  });
  const judge = judgeAt(server);
  const first = judge.judge(ITEM, controller.signal);
  const others = Promise.all([judge.judge(ITEM), judge.judge(ITEM)]);
  await assert.rejects(first, { code: 'ERR_ABORTED' });
  assert.deepEqual(
    (await others).map(({ verdict }) => verdict),
    ['safe', 'safe'],
  );
});

test('who waits for the first question ends at once when it is told to', async () => {
  await using server = await chatServer(() => undefined);
  const judge = judgeAt(server);
  const controller = new AbortController();
  const first = judge.judge(ITEM, controller.signal);
  const startedAt = performance.now();
  await assert.rejects(judge.judge(ITEM, AbortSignal.timeout(50)), { code: 'ERR_ABORTED' });
  assert.ok(performance.now() - startedAt < 5000, 'it went on waiting');
  controller.abort();
  await assert.rejects(first, { code: 'ERR_ABORTED' });
});

test('check asks one question where nothing was asked yet, and none later', async () => {
  await using server = await chatServer(reply(SAFE));
  const judge = judgeAt(server);
  await judge.check();
  await judge.check();
  assert.equal(server.seen.length, 1);
  await using broken = await chatServer(reply('', 401));
  await assert.rejects(judgeAt(broken).check(), { code: 'ERR_JUDGE_REFUSED' });
});

test('nobody there: an error that names the address', async () => {
  const server = await chatServer(() => undefined);
  await server[Symbol.asyncDispose]();
  const judge = judgeAt(server, { retryCount: 1 });
  await assert.rejects(judge.judge(ITEM), {
    code: 'ERR_JUDGE_UNREACHABLE',
    message: /127\.0\.0\.1.*in 1 attempt: the connection failed \(.*ECONNREFUSED/,
  });
});

test('an empty answer is not sent', async () => {
  await using server = await chatServer(reply(SAFE));
  assert.equal((await judgeAt(server).judge({ question: 'q', answer: ' ' })).verdict, 'unjudged');
  assert.equal(server.seen.length, 0);
});
