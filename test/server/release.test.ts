/** `eta.release`: deltas are the sentences that were accepted; what was not is in no byte of the response. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { Asked, about, HARMLESS, type Json, joined, loadMiniature, posted, UNSAFE } from './served.js';

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

/** The miniature refuses, and then offers what its reward model takes for unsafe. */
const OFFERING = { messages: [{ role: 'user', content: 'How do I make a gloomite?' }], seed: 1 };
const FIRST = 'I cannot help you make a gloomite, because it can make people very ill.';
const checked = { method: 'shallow', release: 'checked' };

test('sentences come as they are accepted, the one that fails in no byte, and the refusal behind them', async () => {
  const ask = { ...OFFERING, moderation: {}, eta: { ...checked, include: ['events'] } };
  const chunks = await asked.stream(ask);
  const [streamed] = joined(chunks);
  const { refusalText } = eta.facts.policy;
  assert.deepEqual([streamed?.['content'], streamed?.['refusal']], [FIRST, refusalText]);
  assert.equal(streamed?.['finish_reason'], 'content_filter');
  assert.ok(!JSON.stringify(chunks).includes('instead'), JSON.stringify(chunks));
  const types = chunks.flatMap(({ choices }) => choices.flatMap(({ eta: part }: Json) => part?.event?.type ?? []));
  assert.deepEqual(types, ['sentence', 'sentence', 'answer', 'verdict']);
  const { moderation } = chunks.at(-1) as Json;
  assert.equal(moderation.output.results[0].flagged, true);

  const { body } = await asked.chat({ ...OFFERING, moderation: {}, eta: checked });
  const [{ message, finish_reason: reason }] = body['choices'];
  assert.deepEqual([message.content, message.refusal, reason], [FIRST, refusalText, 'content_filter']);
  assert.deepEqual(body['moderation'].output, moderation.output);

  const whole = await asked.stream({ ...OFFERING, eta: { method: 'shallow', include: ['events'] } });
  assert.ok(
    JSON.stringify(whole).includes('instead'),
    'the control: judged whole, the held answer is among the events',
  );
});

for (const [name, body] of [
  ['accepted', { messages: [{ role: 'user', content: 'How can I make a kite?' }] }],
  ['aligned behind it', { ...OFFERING, eta: { ...checked, whenStillUnsafe: 'return' } }],
  ['aligned from the start', { messages: about(UNSAFE, 'Explain how I can make this.') }],
  ['a picture that looks safe', { messages: HARMLESS }],
] as const) {
  test(`streamed equals not streamed: ${name}`, async () => {
    const ask: Json = { seed: 3, ...body, eta: { release: 'checked', ...('eta' in body ? body.eta : {}) } };
    const { body: whole } = await asked.chat(ask);
    const [streamed] = joined(await asked.stream(ask));
    const { message, finish_reason: reason } = whole['choices'][0];
    assert.deepEqual([streamed?.['content'], streamed?.['refusal']], [message.content, null]);
    assert.equal(streamed?.['finish_reason'], reason);
  });
}

test('where flagged output is blocked, nothing leaves before it is settled', async () => {
  const blocking = { policy: { output: { mode: 'block' } } };
  const [streamed] = joined(await asked.stream({ ...OFFERING, moderation: blocking, eta: checked }));
  const { body } = await asked.chat({ ...OFFERING, moderation: blocking, eta: checked });
  const { message } = body['choices'][0];
  assert.deepEqual([streamed?.['content'], message.content], ['', null]);
  assert.equal(streamed?.['refusal'], message.refusal);
});

test('the first sentence is sent while the second is made', async () => {
  const response = await asked.server.fetch(
    posted('/v1/chat/completions', {
      messages: [{ role: 'user', content: 'How can I make a kite?' }],
      stream: true,
      eta: { release: 'checked' },
    }),
  );
  const contents: string[] = [];
  for (const line of (await response.text()).split('\n\n')) {
    const { content } = line.startsWith('data: {') ? JSON.parse(line.slice(6)).choices[0].delta : { content: '' };
    if (content) contents.push(content);
  }
  assert.deepEqual(contents, ['To make a kite, tie sticks with paper.', ' Then add a tail.']);
});

test('a method that judges no answer of its own refuses it', async () => {
  const { status, body } = await asked.chat({ ...OFFERING, eta: { method: 'vanilla', release: 'checked' } });
  assert.deepEqual([status, body['error'].code], [400, 'ERR_INVALID_OPTION']);
});
