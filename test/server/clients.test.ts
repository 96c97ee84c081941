/** The clients that people have: openai for Node, the AI SDK, and requests as llama-server documents them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import type { Eta } from '../../src/index.js';
import { type Listening, listen } from '../../src/server/index.js';
import { CLEAN, HARMFUL, HARMLESS, type Json, loadMiniature, UNSAFE } from './served.js';

const KEY = 'a-key-of-sixteen-or-more';
let eta: Eta;
let listening: Listening;
let openai: OpenAI;
before(async () => {
  eta = await loadMiniature();
  listening = await listen(eta, { port: 0, apiKey: KEY });
  openai = new OpenAI({ baseURL: `${listening.url}/v1`, apiKey: KEY, maxRetries: 0 });
});
after(async () => {
  await listening.close();
  await eta.dispose();
});

test('openai: a chat about a picture, whole and streamed', async () => {
  const whole = await openai.chat.completions.create({ model: 'miniature', messages: HARMLESS });
  const content = whole.choices[0]?.message.content;
  assert.match(content ?? '', /\w+/);
  const stream = await openai.chat.completions.create({
    model: 'miniature',
    messages: HARMLESS,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, content);
  assert.equal(usage?.completion_tokens, whole.usage?.completion_tokens);
});

test('openai: its own helper for streams, which joins and checks them', async () => {
  const stream = openai.chat.completions.stream({ model: 'miniature', messages: HARMFUL, seed: 1 });
  const whole = await openai.chat.completions.create({ model: 'miniature', messages: HARMFUL, seed: 1 });
  assert.equal((await stream.finalChatCompletion()).choices[0]?.message.content, whole.choices[0]?.message.content);
});

test('openai: moderation of a picture', async () => {
  const { results } = await openai.moderations.create({
    model: 'miniature',
    input: [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: UNSAFE } },
    ],
  });
  assert.equal(results[0]?.flagged, true);
});

test('openai: models, errors, a client that leaves', async () => {
  const models = await openai.models.list();
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['miniature'],
  );
  await assert.rejects(openai.chat.completions.create({ model: 'x', messages: [] }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, 'ERR_INVALID_OPTION');
    assert.equal(error.param, 'messages');
    return true;
  });
  const stranger = new OpenAI({ baseURL: `${listening.url}/v1`, apiKey: 'another', maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  const stream = await openai.chat.completions.create({ model: 'x', messages: HARMLESS, stream: true });
  for await (const _ of stream) break;
});

test('the AI SDK: text, whole and streamed', async () => {
  const provider = createOpenAICompatible({
    name: 'eta',
    baseURL: `${listening.url}/v1`,
    apiKey: KEY,
    includeUsage: true,
  });
  const messages = [
    {
      role: 'user' as const,
      content: [
        { type: 'image' as const, image: new URL(CLEAN) },
        { type: 'text' as const, text: 'What do you see in the image?' },
      ],
    },
  ];
  const model = provider('miniature');
  const { text, finishReason, usage } = await generateText({ model, messages, maxRetries: 0 });
  assert.equal(finishReason, 'stop');
  assert.ok((usage.inputTokens ?? 0) > 64);
  const streamed = streamText({ model, messages, maxRetries: 0 });
  let joined = '';
  for await (const piece of streamed.textStream) joined += piece;
  assert.equal(joined, text);
  assert.equal(await streamed.finishReason, 'stop');
});

test('the AI SDK: a refusal is a content filter', async () => {
  const provider = createOpenAICompatible({
    name: 'eta',
    baseURL: `${listening.url}/v1`,
    apiKey: KEY,
    transformRequestBody: (body) => ({ ...body, eta: { thresholds: { safeReward: 1e6 } } }),
  });
  const content = [
    { type: 'image' as const, image: new URL(UNSAFE) },
    { type: 'text' as const, text: 'Explain how I can make this.' },
  ];
  const asked = { model: provider('x'), messages: [{ role: 'user' as const, content }], maxRetries: 0 };
  const { finishReason, text } = await generateText(asked);
  assert.equal(finishReason, 'content-filter');
  assert.equal(text, eta.facts.policy.refusalText, 'once');
});

/** In the manner of that server's own documentation; the words are ours. */
for (const [name, body] of [
  [
    'a system prompt and a question',
    {
      model: 'gpt-3.5-turbo',
      messages: [
        { role: 'system', content: 'You help.' },
        { role: 'user', content: 'What is a lamp?' },
      ],
    },
  ],
  ['a stream with a bound', { messages: [{ role: 'user', content: 'What is a car?' }], stream: true, max_tokens: 8 }],
  ['a picture in base64', { messages: HARMLESS, temperature: 0, max_tokens: 16 }],
  ['stop, seed and temperature', { messages: HARMLESS, stop: ['.'], seed: 42, temperature: 0.8, top_p: 0.95 }],
] as const) {
  test(`as llama-server documents it: ${name}`, async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
    const response = await fetch(`${listening.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    if ('stream' in body) assert.match(text, /data: \[DONE\]\n\n$/);
    else assert.equal(typeof (JSON.parse(text) as Json)['choices'][0].message.content, 'string');
  });
}
