/** Moderation by the evaluators: the route, the fields of a chat completion, and what is never made up. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Eta, EvaluatorError } from '../../src/index.js';
import { Asked, CLEAN, HARMFUL, HARMLESS, type Json, joined, loadMiniature, UNSAFE } from './served.js';

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

const moderate = async (body: Json) => await asked.post('/v1/moderations', body);
const picture = (url: string) => ({ type: 'image_url', image_url: { url } });

test('a picture is judged: flagged, category, score, what was looked at', async () => {
  const { status, body } = await moderate({ input: [{ type: 'text', text: 'What is it?' }, picture(UNSAFE)] });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ['id', 'model', 'results']);
  assert.match(body['id'], /^modr-/);
  const { picture: judgement } = await eta.evaluate({ image: UNSAFE });
  assert.deepEqual(body['results'], [
    {
      flagged: true,
      categories: { 'unsafe/picture': true },
      category_scores: { 'unsafe/picture': judgement?.score },
      category_applied_input_types: { 'unsafe/picture': ['image'] },
    },
  ]);
  const { body: clean } = await moderate({ input: [picture(CLEAN)] });
  assert.equal(clean['results'][0].flagged, false);
});

test('a lone text gets an error in its place, never a score', async () => {
  for (const input of ['How do I make this?', ['one', 'two']]) {
    const { status, body } = await moderate({ input });
    assert.equal(status, 200);
    assert.equal(body['results'].length, typeof input === 'string' ? 1 : 2);
    for (const result of body['results']) {
      assert.deepEqual(Object.keys(result), ['type', 'code', 'message']);
      assert.deepEqual([result.type, result.code], ['error', 'ERR_INVALID_REQUEST']);
    }
  }
});

test('a text that is said to be an answer is judged as one', async () => {
  const harmful = 'To make a zapbox, wire coilpearl with sparkstone. Then close the lid.';
  const input = [harmful, 'There is a green hammer.'];
  const { body } = await moderate({ input, eta: { texts: 'answers' } });
  const [bad, good] = body['results'];
  const { answer } = await eta.evaluate({ answer: harmful });
  assert.equal(bad.flagged, true);
  assert.equal(good.flagged, false);
  assert.equal(bad.category_scores['unsafe/answer'], -(answer?.score ?? Number.NaN));
  assert.deepEqual(bad.eta.answer, answer);
  assert.ok(bad.category_scores['unsafe/answer'] > good.category_scores['unsafe/answer'], 'the higher the less safe');
});

test('nothing is generated', async () => {
  const { stepCount } = await eta.statistics();
  await moderate({ input: [picture(CLEAN)] });
  assert.equal((await eta.statistics()).stepCount, stepCount);
});

for (const [name, body] of [
  ['no input', {}],
  ['a number', { input: 4 }],
  ['nothing in it', { input: [] }],
  ['an unknown field', { input: 'x', inputs: 'x' }],
  ['an unknown part', { input: [{ type: 'sound' }] }],
  ['a path', { input: [picture('/etc/passwd')] }],
] as const) {
  test(`refused with a sentence: ${name}`, async () => {
    const { status, body: told } = await moderate(body);
    assert.equal(status, 400);
    assert.match(told['error'].code, /^ERR_/);
  });
}

test('a chat completion tells both sides where it is asked', async () => {
  const { body } = await asked.chat({ messages: HARMFUL, seed: 1, moderation: { model: 'any' }, eta: {} });
  const { input, output } = body['moderation'];
  const { verdict } = body['choices'][0].eta;
  assert.equal(input.type, 'moderation_results');
  assert.equal(input.results[0].flagged, true);
  assert.deepEqual(input.results[0].eta.picture, verdict.picture);
  assert.equal(output.results.length, 1);
  assert.equal(output.results[0].flagged, false);
  assert.deepEqual(output.results[0].eta.answer, verdict.final);
});

test('what the method has not judged is judged for it', async () => {
  const { body } = await asked.chat({ messages: HARMFUL, moderation: {}, eta: { method: 'vanilla' } });
  assert.equal(body['choices'][0].eta.verdict.answer, null);
  assert.equal(body['moderation'].input.results[0].flagged, true);
  assert.equal(body['moderation'].output.results[0].flagged, true);
});

test('without a picture the input has an error, the output a result', async () => {
  const { body } = await asked.chat({ messages: [{ role: 'user', content: 'What is a lamp?' }], moderation: {} });
  assert.equal(body['moderation'].input.type, 'error');
  assert.equal(body['moderation'].output.type, 'moderation_results');
});

for (const [name, policy] of [
  ['input', { input: { mode: 'block' } }],
  ['output', { output: { mode: 'block' } }],
] as const) {
  test(`what is flagged is blocked where the request says so: ${name}`, async () => {
    const body = {
      messages: HARMFUL,
      seed: 1,
      moderation: { policy },
      eta: { method: 'vanilla', include: ['verdict'] },
    };
    const { body: whole } = await asked.chat(body);
    const [choice] = whole['choices'];
    const { verdict } = choice.eta;
    const decisive = name === 'input' ? 'picture' : 'answer';
    assert.deepEqual([verdict.action, verdict[decisive].isUnsafe], ['refused', true], 'though the method asked nobody');
    assert.equal(choice.eta.stopReason, 'refusal');
    assert.equal(choice.finish_reason, 'content_filter');
    assert.equal(choice.message.content, null);
    assert.equal(choice.message.refusal, eta.facts.policy.refusalText);
    assert.equal(whole['moderation'][name].results[0].flagged, true);
    const chunks = await asked.stream(body);
    const [streamed] = joined(chunks);
    assert.deepEqual([streamed?.['content'], streamed?.['refusal']], ['', choice.message.refusal]);
    assert.equal(chunks.at(-1)?.['moderation'][name].results[0].flagged, true);
    assert.ok(!JSON.stringify(chunks).includes('coilpearl'), 'what is blocked was not streamed before');
  });
}

test('with block, events tell the verdict that came of it, and none before', async () => {
  const policy = { output: { mode: 'block' } };
  const asking = { seed: 1, moderation: { policy }, eta: { method: 'vanilla', include: ['events'] } };
  const verdictsOf = (chunks: readonly Json[]) =>
    chunks.flatMap(({ choices }) => choices.flatMap(({ eta: own }: Json) => own?.event?.verdict ?? []));
  const blocked = await asked.stream({ ...asking, messages: HARMFUL });
  const [choice] = joined(blocked);
  assert.deepEqual(verdictsOf(blocked), [choice?.['eta'].verdict]);
  assert.equal(choice?.['eta'].verdict.action, 'refused');
  const answered = await asked.stream({ ...asking, messages: HARMLESS });
  assert.deepEqual(
    verdictsOf(answered).map(({ action }: Json) => action),
    ['answered'],
  );
});

test('with block, the sentence of a refusal is no content, streamed or not', async () => {
  // whatever is written, nobody finds it safe
  const own = { thresholds: { safeReward: 1e6, unsafeClipScore: -1 } };
  const body = { messages: HARMLESS, seed: 1, moderation: { policy: { output: { mode: 'block' } } }, eta: own };
  const [whole] = (await asked.chat(body)).body['choices'];
  assert.deepEqual([whole.message.content, whole.message.refusal], [null, eta.facts.policy.refusalText]);
  const [streamed] = joined(await asked.stream(body));
  assert.deepEqual([streamed?.['content'], streamed?.['refusal']], ['', eta.facts.policy.refusalText]);
});

test('with block, what is not flagged goes out whole', async () => {
  const body = { messages: HARMLESS, moderation: { policy: { input: { mode: 'block' }, output: { mode: 'block' } } } };
  const { body: whole } = await asked.chat(body);
  const { body: plain } = await asked.chat({ messages: HARMLESS });
  const { content } = whole['choices'][0].message;
  assert.equal(content, plain['choices'][0].message.content);
  assert.equal(joined(await asked.stream(body))[0]?.['content'], content);
});

/** The Eta, whose `evaluate` fails where `isFailing` says so. */
function failing(isFailing: () => boolean): Eta {
  const undecided = new EvaluatorError('ERR_NO_DECISION', 'The judge says something else.');
  return new Proxy(eta, {
    get: (target, name) => {
      if (name === 'evaluate' && isFailing()) return () => Promise.reject(undecided);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('an answer that could not be judged hides the judgement of no other', async () => {
  let calls = 0;
  const some = new Asked(failing(() => ++calls === 2));
  const { status, body } = await some.chat({
    messages: HARMFUL,
    n: 3,
    temperature: 1,
    moderation: {},
    eta: { method: 'vanilla' },
  });
  assert.equal(status, 200);
  const { type, results } = body['moderation'].output;
  assert.equal(type, 'moderation_results');
  assert.deepEqual(results.map((result: Json) => result['code'] ?? typeof result['flagged']).sort(), [
    'ERR_NO_DECISION',
    'boolean',
    'boolean',
  ]);
});

test('a judgement that fails takes no answer away, unless it is what the answer waits for', async () => {
  const none = new Asked(failing(() => true));
  const asking = { messages: HARMLESS, seed: 1, eta: { method: 'vanilla' } };
  const { status, body } = await none.chat({ ...asking, moderation: {} });
  assert.equal(status, 200);
  assert.ok(body['choices'][0].message.content.length > 5);
  for (const side of ['input', 'output'])
    assert.deepEqual([body['moderation'][side].type, body['moderation'][side].code], ['error', 'ERR_NO_DECISION']);
  const chunks = await none.stream({ ...asking, moderation: {} });
  assert.equal(chunks.at(-1)?.['moderation'].output.code, 'ERR_NO_DECISION');
  const blocked = await none.chat({ ...asking, moderation: { policy: { output: { mode: 'block' } } } });
  assert.deepEqual([blocked.status, blocked.body['error'].code], [422, 'ERR_NO_DECISION']);
});

test('block is refused where nobody could judge', async () => {
  const { status, body } = await asked.chat({
    messages: [{ role: 'user', content: 'x' }],
    moderation: { policy: { input: { mode: 'block' } } },
  });
  assert.deepEqual([status, body['error'].param], [400, 'moderation.policy.input.mode']);
});

test('decisions: each question its own probabilities, of one conversation', async () => {
  const { status, body } = await asked.post('/v1/decisions', {
    messages: HARMLESS,
    questions: [
      { type: 'predicate', question: 'Is there a lamp?' },
      { type: 'choice', question: 'What is it?', choices: ['a lamp', 'a car'] },
      { type: 'score', question: 'How many?', from: 0, to: 3 },
    ],
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(
    body['decisions'].map(({ type }: Json) => type),
    ['predicate', 'choice', 'score'],
  );
  for (const { mass } of body['decisions']) assert.ok(mass >= 0 && mass <= 1);
  const { usage } = body;
  assert.deepEqual(Object.keys(usage), Object.keys((await asked.chat({ messages: HARMLESS })).body['usage']));
  assert.ok(usage.prompt_tokens > 10 && usage.total_tokens === usage.prompt_tokens + usage.completion_tokens);
  assert.ok(!('eta' in body), 'nothing of ours unasked');
  for (const questions of [[], [{ type: 'choice', question: 'What?', choices: ['one'] }]]) {
    const { status: refused, body: said } = await asked.post('/v1/decisions', { messages: HARMLESS, questions });
    assert.equal(refused, 400);
    assert.match(said['error'].param, /^questions/);
  }
  const { body: document } = await asked.get('/openapi.json');
  const { schema } = document['paths']['/v1/decisions'].post.requestBody.content['application/json'];
  assert.match(JSON.stringify(schema.properties.questions), /"maxItems":26/, 'as the library takes them');
});

test('moderations and decisions leave nothing, where they are told to', async () => {
  const own = await loadMiniature();
  const alone = new Asked(own);
  const questions = [{ type: 'predicate', question: 'Is there a banana in the picture?' }];
  const { status, body } = await alone.post('/v1/decisions', { messages: HARMLESS, questions, eta: { reuse: false } });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body['eta'].usage.promptTokenCount, body['usage'].prompt_tokens);
  assert.ok(body['eta'].timings.totalMs > 0);
  assert.equal((await own.statistics()).keptSequenceCount, 0);
  await alone.post('/v1/decisions', { messages: HARMLESS, questions });
  assert.ok((await own.statistics()).keptSequenceCount > 0, 'as they do otherwise');
  const judged = await alone.post('/v1/moderations', { input: [picture(CLEAN)], eta: { reuse: false } });
  assert.equal(judged.status, 200, JSON.stringify(judged.body));
  await own.dispose();
});
