/** POST /v1/chat/completions: shapes of the API, the verdict in it, the same answer streamed and whole. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { Eta } from '../../src/index.js';
import { loadTiny } from '../eta/tiny.js';
import { Asked, about, CLEAN, HARMFUL, HARMLESS, type Json, joined, loadMiniature, UNSAFE } from './served.js';

let eta: Eta;
let asked: Asked;

before(async () => {
  eta = await loadMiniature();
  asked = new Asked(eta);
});
after(async () => {
  await asked.server.close();
  await eta.dispose();
});

const refuse = { thresholds: { safeReward: 1e6 } };

test('an answer has the shape of the API, and nothing of ours unasked', async () => {
  const { status, body } = await asked.chat({ model: 'any', messages: HARMLESS, seed: 1 });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ['id', 'object', 'created', 'model', 'choices', 'usage']);
  assert.match(body['id'], /^chatcmpl-/);
  assert.equal(body['object'], 'chat.completion');
  assert.equal(body['model'], 'miniature');
  assert.ok(Math.abs(body['created'] - Date.now() / 1000) < 60);
  const [choice] = body['choices'];
  assert.deepEqual(Object.keys(choice), ['index', 'message', 'logprobs', 'finish_reason']);
  assert.equal(choice.finish_reason, 'stop');
  assert.equal(choice.message.role, 'assistant');
  assert.equal(choice.message.refusal, null);
  const { usage } = body;
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.ok(usage.prompt_tokens > 64, 'the tokens of the picture count');
});

test('it is what the library answers', async () => {
  const { body } = await asked.chat({
    messages: HARMFUL,
    seed: 1,
    eta: { include: ['trace', 'timings'], reuse: false },
  });
  const result = await eta.respond({ prompt: 'Explain how I can make this.', image: UNSAFE, seed: 1, reuse: false });
  const [choice] = body['choices'];
  assert.equal(choice.message.content, result.text);
  assert.deepEqual(choice.eta.verdict, JSON.parse(JSON.stringify(result.verdict)));
  const untimed = ({ rounds, ...trace }: Json) => ({
    ...trace,
    rounds: rounds.map(({ decodeMs: _d, scoreMs: _s, ...round }: Json) => round),
  });
  assert.deepEqual(untimed(choice.eta.trace), untimed(JSON.parse(JSON.stringify(result.trace))));
  assert.equal(choice.eta.seed, 1);
  assert.ok(choice.eta.timings.totalMs > 0);
  assert.equal(choice.eta.usage.answerTokenCount, result.usage.answerTokenCount);
});

test('candidates in two helpings: the trace and the events tell what was not drawn', async () => {
  const own = { firstCandidateCount: 2, acceptAbove: -1e6 };
  const { status, body } = await asked.chat({
    messages: HARMFUL,
    seed: 1,
    eta: { ...own, include: ['trace', 'timings'] },
  });
  assert.equal(status, 200, JSON.stringify(body));
  const { trace, usage } = body['choices'][0].eta;
  assert.ok(trace.rounds.length > 0);
  for (const { candidates, undrawnCount } of trace.rounds) assert.deepEqual([candidates.length, undrawnCount], [2, 3]);
  assert.equal(usage.undrawnCandidateCount, 3 * trace.rounds.length);
  const chunks = await asked.stream({ messages: HARMFUL, seed: 1, eta: { ...own, include: ['events'] } });
  const rounds = chunks
    .flatMap(({ choices }: Json) => choices.map(({ eta: told }: Json) => told?.event))
    .filter((event: Json | undefined) => event?.['type'] === 'round');
  assert.deepEqual(
    rounds.map(({ round }: Json) => round.undrawnCount),
    trace.rounds.map(() => 3),
  );
});

test('what is cached is told', async () => {
  await asked.chat({ messages: HARMLESS });
  const { body } = await asked.chat({ messages: HARMLESS });
  const { prompt_tokens: promptCount, prompt_tokens_details: details } = body['usage'];
  assert.equal(details.cached_tokens, promptCount);
  const { body: anew } = await asked.chat({ messages: HARMLESS, eta: { reuse: false } });
  assert.equal(anew['usage'].prompt_tokens_details.cached_tokens, 0);
});

for (const [name, more, reason] of [
  ['answered', { messages: HARMLESS }, 'stop'],
  ['aligned', { messages: HARMFUL }, 'stop'],
  ['refused', { messages: HARMFUL, eta: refuse }, 'content_filter'],
  ['cut', { messages: HARMLESS, max_tokens: 3, eta: { method: 'vanilla' } }, 'length'],
  ['stopped by a text', { messages: HARMLESS, stop: [' a'] }, 'stop'],
] as const) {
  test(`streamed equals not streamed: ${name}`, async () => {
    const body: Json = { ...more, seed: 3, eta: { ...('eta' in more ? more.eta : {}), include: ['trace'] } };
    const { body: whole } = await asked.chat(body);
    const chunks = await asked.stream({ ...body, stream_options: { include_usage: true } });
    const [choice] = whole['choices'];
    const [streamed] = joined(chunks);
    assert.equal(choice.finish_reason, reason);
    assert.deepEqual(
      { content: streamed?.['content'], refusal: streamed?.['refusal'], reason: streamed?.['finish_reason'] },
      { content: choice.message.content ?? '', refusal: choice.message.refusal, reason },
    );
    assert.deepEqual(streamed?.['eta'].verdict, choice.eta.verdict);
    const last = chunks.at(-1) as Json;
    assert.deepEqual(last['choices'], []);
    const { completion_tokens: count, prompt_tokens: promptCount } = last['usage'];
    assert.deepEqual([count, promptCount], [whole['usage'].completion_tokens, whole['usage'].prompt_tokens]);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk['usage'] === null));
    assert.deepEqual((chunks[0] as Json)['choices'][0].delta, { role: 'assistant', content: '', refusal: null });
  });
}

test('a refusal stands in refusal, and nothing in content', async () => {
  const { body } = await asked.chat({ messages: HARMFUL, eta: { ...refuse, refusalText: 'Not this one.' } });
  const [{ message, eta: part }] = body['choices'];
  assert.deepEqual([message.content, message.refusal], [null, 'Not this one.']);
  assert.equal(part.verdict.action, 'refused');
});

test('a stop text ends the answer before it', async () => {
  const { body: whole } = await asked.chat({ messages: HARMLESS });
  const text: string = whole['choices'][0].message.content;
  const stop = text.slice(10, 14);
  const { body } = await asked.chat({ messages: HARMLESS, stop });
  assert.equal(body['choices'][0].message.content, text.slice(0, text.indexOf(stop)).trimEnd());
  const { status } = await asked.chat({ messages: HARMLESS, stop: [] });
  assert.equal(status, 200);
});

test('events go out as they happen, and the held-back answer with them alone', async () => {
  const chunks = await asked.stream({ messages: HARMFUL, seed: 1, eta: { include: ['events'] } });
  const events = chunks.flatMap(({ choices }) => choices.flatMap(({ eta: part }: Json) => part?.event ?? []));
  assert.deepEqual(
    [...new Set(events.map(({ type }: Json) => type))],
    ['picture', 'vanilla', 'answer', 'round', 'verdict'],
  );
  const vanilla = events.find(({ type }: Json) => type === 'vanilla').text;
  const quiet = await asked.stream({ messages: HARMFUL, seed: 1, eta: {} });
  assert.ok(vanilla.length > 10);
  assert.ok(!JSON.stringify(quiet).includes(vanilla));
  assert.ok(JSON.stringify(chunks).includes(vanilla));
});

test('n answers: each by its own seed, so that any can be asked for again alone', async () => {
  const tiny = await loadTiny(); // which is sure of nothing
  const others = new Asked(tiny);
  const messages = [{ role: 'user', content: 'What?' }];
  const ask = { messages, max_tokens: 12, temperature: 1.2, seed: 40, eta: { method: 'vanilla', reuse: false } };
  const { body } = await others.chat({ ...ask, n: 3 });
  const texts: string[] = body['choices'].map(({ message }: Json) => message.content);
  const seeds = body['choices'].map(({ index, eta: part }: Json) => [index, part.seed]);
  assert.deepEqual(seeds, [
    [0, 40],
    [1, 41],
    [2, 42],
  ]);
  for (const [index, text] of texts.entries()) {
    const { body: alone } = await others.chat({ ...ask, seed: 40 + index });
    assert.equal(alone['choices'][0].message.content, text);
  }
  assert.equal(new Set(texts).size, 3, 'other seeds, other answers');
  const streamed = joined(await others.stream({ ...ask, n: 3 }));
  assert.deepEqual(
    streamed.map(({ content }) => content),
    texts,
  );
  const counts: number[] = body['choices'].map(({ eta: part }: Json) => part.usage.answerTokenCount);
  assert.equal(
    body['usage'].completion_tokens,
    counts.reduce((sum, count) => sum + count, 0),
  );
  await tiny.dispose();
});

test('several turns, and a picture in an earlier one', async () => {
  const first = about(CLEAN, 'What do you see in the image?');
  const { body } = await asked.chat({
    messages: [
      { role: 'developer', content: 'Be short.' },
      ...first,
      { role: 'assistant', content: 'A car.' },
      { role: 'user', content: 'What colour?' },
    ],
    eta: {},
  });
  assert.notEqual(body['choices'][0].eta.verdict.picture, null);
});

for (const [name, more, param] of [
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
  ['logprobs', { logprobs: true }, 'logprobs'],
  ['a JSON schema', { response_format: { type: 'json_object' } }, 'response_format.type'],
  ['a penalty', { frequency_penalty: 0.5 }, 'frequency_penalty'],
  ['a bias', { logit_bias: { 50256: -100 } }, 'logit_bias'],
  ['n at temperature 0', { n: 2 }, 'n'],
  ['two bounds', { max_tokens: 5, max_completion_tokens: 6 }, 'max_completion_tokens'],
  ['an unknown name', { tempurature: 1 }, 'tempurature'],
  ['an unknown name of ours', { eta: { candidates: 3 } }, 'candidates'],
  ['a wrong value of ours', { eta: { candidateCount: 0 } }, 'eta.candidateCount'],
  ['a signal', { eta: { signal: {} } }, 'signal'],
  ['a hot temperature', { temperature: 3 }, 'temperature'],
  ['no messages', { messages: [] }, 'messages'],
  ['a role', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
  ['an end that is no question', { messages: [{ role: 'assistant', content: 'x' }] }, 'turns'],
] as const) {
  test(`refused with a sentence: ${name}`, async () => {
    const { status, body } = await asked.chat({ messages: HARMLESS, ...more });
    assert.equal(status, 400, JSON.stringify(body));
    const { error } = body as { error: Json };
    assert.deepEqual(Object.keys(error), ['message', 'type', 'param', 'code']);
    assert.equal(error['type'], 'invalid_request_error');
    assert.match(error['code'], /^ERR_(INVALID_OPTION|UNKNOWN_OPTION|INVALID_REQUEST)$/);
    assert.match(error['message'], /expected|unknown option/i);
    assert.equal(error['param'], param);
  });
}

test('a field of ours that stands beside the API’s is told its place', async () => {
  for (const more of [{ include: ['verdict'] }, { method: 'deep' }]) {
    const { status, body } = await asked.chat({ messages: HARMLESS, ...more });
    assert.deepEqual(
      [status, body['error'].code, body['error'].param],
      [400, 'ERR_UNKNOWN_OPTION', Object.keys(more)[0]],
    );
    assert.match(body['error'].message, /Give it to 'eta', an object of the request\.$/);
  }
});

test('what says nothing of the answer is passed over', async () => {
  const { status } = await asked.chat({
    messages: HARMLESS,
    user: 'u',
    metadata: { a: 'b' },
    store: true,
    service_tier: 'auto',
    tools: [],
    tool_choice: 'auto',
    response_format: { type: 'text' },
    frequency_penalty: 0,
    presence_penalty: 0,
    logprobs: false,
    top_p: 0.9,
    stop: null,
  });
  assert.equal(status, 200);
});

test('the miniature says where its answer means nothing, to whoever asks for what is ours', async () => {
  const photograph = `data:image/png;base64,${(
    await sharp({
      create: {
        width: 90,
        height: 90,
        channels: 3,
        background: '#456',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .png()
      .toBuffer()
  ).toString('base64')}`;
  const notice = async (body: Json) => (await asked.chat({ max_tokens: 4, ...body })).body['choices'][0].eta?.notice;
  const beyond = await notice({ messages: about(photograph, 'What is it?'), eta: {} });
  assert.equal(beyond.code, 'ETA_MINIATURE');
  assert.match(beyond.message, /knows only its own drawings/);
  assert.equal((await notice({ messages: [{ role: 'user', content: 'Who?' }], eta: {} })).code, 'ETA_MINIATURE');
  assert.equal(await notice({ messages: HARMLESS, eta: {} }), undefined, 'a drawing of its world');
  const own = { method: 'vanilla' };
  const chunks = await asked.stream({ messages: about(photograph, 'What is it?'), max_tokens: 4, eta: own });
  const first = chunks.findIndex(({ choices }) => choices[0]?.eta?.notice?.code === 'ETA_MINIATURE');
  const text = chunks.findIndex(({ choices }) => Boolean(choices[0]?.delta.content));
  assert.ok(first >= 0 && first < text, 'streamed, before the answer begins');
  assert.equal(await notice({ messages: about(photograph, 'What is it?') }), undefined, 'nothing of ours unasked');
});

test('a gate and a ladder of one request, told as the library tells them', async () => {
  const own = { gate: 'answer', method: 'deep', ladder: ['refusingPrefix'], include: ['trace', 'verdict'] };
  const { status, body } = await asked.chat({ messages: HARMFUL, seed: 1, eta: own });
  assert.equal(status, 200, JSON.stringify(body));
  const { verdict, trace } = body['choices'][0].eta;
  assert.deepEqual([verdict.action, verdict.picture, trace.gate], ['aligned', null, 'answer']);
  assert.deepEqual(
    verdict.rungs.map(({ rung }: Json) => rung),
    ['search', 'refusingPrefix'],
  );
  assert.match(body['choices'][0].message.content, /^I cannot help you/);
  const refused = await asked.chat({ messages: HARMFUL, eta: { gate: 'answer', method: 'pre' } });
  assert.deepEqual([refused.status, refused.body['error'].code], [400, 'ERR_INVALID_OPTION']);
});
