/** An answer that leans towards a principle (CoCA): what is drawn, what is told, what stays as it was. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta, EtaResult } from '../../src/index.js';
import { POLICIES } from '../../src/policy/index.js';
import { assertFreed, collect, FLAGGED_SAFE, loadTiny, pictures, QUESTION, UNSAFE } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(async () => await eta.dispose());

const VANILLA = { ...QUESTION, method: 'vanilla' } as const;
const LEANING = { ...VANILLA, principleWeight: 4 } as const;
const rounds = ({ trace }: EtaResult) => trace.rounds.map(({ candidates }) => candidates.map(({ text }) => text));

test('the answer is another one; without weight, and with a weight that changes nothing, it is the same', async () => {
  const own = await eta.respond(VANILLA);
  const leaning = await eta.respond(LEANING);
  assert.notEqual(leaning.text, own.text);
  assert.equal((await eta.respond({ ...VANILLA, principleWeight: 0 })).text, own.text);
  assert.equal((await eta.respond({ ...LEANING, reuse: false })).text, leaning.text, 'nothing that was kept decides');
  const { result } = await collect(eta, LEANING);
  assert.equal(result.text, leaning.text);
  await assertFreed(eta, 'after answers that lean');
});

test('it leans as far as the weight says, towards the principle that is named', async () => {
  const texts = new Set<string>();
  for (const principleWeight of [0.5, 4, 20]) texts.add((await eta.respond({ ...VANILLA, principleWeight })).text);
  texts.add((await eta.respond({ ...LEANING, principle: 'Say nothing about colours.' })).text);
  assert.equal(texts.size, 4);
});

test('the principle is read as text before the question: a weight of none of the other is the answer to that prompt', async () => {
  // s + w (s - p) is near s where w is near 0.
  const { principle } = POLICIES.standard;
  const asked = await eta.respond({ ...VANILLA, prompt: `${principle}\n\n${QUESTION.prompt}`, reuse: false });
  const leaning = await eta.respond({ ...VANILLA, principleWeight: 1e-6, reuse: false });
  assert.equal(leaning.text, asked.text);
});

test('what is read twice is counted: the text behind the pictures, not the pictures', async () => {
  const own = await eta.respond({ ...VANILLA, reuse: false });
  const leaning = await eta.respond({ ...LEANING, reuse: false });
  const asked = await eta.respond({
    ...VANILLA,
    prompt: `${POLICIES.standard.principle}\n\n${QUESTION.prompt}`,
    reuse: false,
  });
  const more = leaning.usage.promptTokenCount - own.usage.promptTokenCount;
  assert.ok(more > 0 && more < asked.usage.promptTokenCount - asked.usage.imageTokenCount, `${more}`);
  assert.equal(leaning.usage.imageTokenCount, own.usage.imageTokenCount);
});

test('what is aligned leans towards nothing, and the judges read the answer that leans', async () => {
  const aligned = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;
  const [plain, leaning] = [await eta.respond(aligned), await eta.respond({ ...aligned, principleWeight: 4 })];
  assert.deepEqual(rounds(leaning), rounds(plain));
  assert.notEqual(leaning.trace.vanillaText, plain.trace.vanillaText);
  assert.equal(leaning.trace.vanillaText, (await eta.respond(LEANING)).text);
  const ladder = { ...QUESTION, thresholds: UNSAFE, ladder: ['caption'] } as const;
  const caption = async (principleWeight: number) =>
    (await eta.respond({ ...ladder, principleWeight })).trace.rungs?.[1]?.text;
  assert.equal(await caption(4), await caption(0));
});

test('sentence by sentence, with a stop text, drawn by chance', async () => {
  const whole = await eta.respond({ ...QUESTION, thresholds: FLAGGED_SAFE, principleWeight: 4 });
  const checked = await eta.respond({
    ...QUESTION,
    thresholds: FLAGGED_SAFE,
    principleWeight: 4,
    release: 'checked',
    gate: 'both',
  });
  assert.equal(checked.text, whole.text);
  const stop = whole.text.slice(4, 8);
  const stopped = await eta.respond({ ...LEANING, stop: [stop] });
  assert.equal(stopped.text, whole.text.slice(0, whole.text.indexOf(stop)));
  const drawn = { ...LEANING, answerTemperature: 1 };
  assert.equal((await eta.respond(drawn)).text, (await eta.respond(drawn)).text);
});

test('many at once, with and without, end and free what they held', async () => {
  const requests = Array.from({ length: 10 }, (_, at) => ({
    ...QUESTION,
    image: pictures[at % 3] ?? pictures[0],
    seed: at,
    principleWeight: (at % 2) * 4,
    thresholds: at % 3 === 0 ? UNSAFE : FLAGGED_SAFE,
  }));
  const results = await Promise.all(requests.map((request) => eta.respond(request)));
  assert.ok(results.every(({ text }) => text !== ''));
  await assertFreed(eta, 'after many');
});

test('a principle without weight, and a weight that is none, are refused', async () => {
  await assert.rejects(eta.respond({ ...VANILLA, principle: 'Be kind.' }), {
    code: 'ERR_INVALID_OPTION',
    message: /principle: expected none for an answer that does not lean towards it.*Give a principleWeight above 0/,
  });
  for (const principleWeight of [-1, 101, Number.NaN])
    await assert.rejects(eta.respond({ ...VANILLA, principleWeight }), { code: 'ERR_INVALID_OPTION' });
  await assert.rejects(eta.respond({ ...LEANING, principle: ' ' }), { code: 'ERR_INVALID_OPTION' });
});
