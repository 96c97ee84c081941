/** The model's own answer, drawn: by the seed alone, from the nucleus, and with no candidate's draws. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DecisionOptions, type Eta, type EtaRequest, type LoadEtaOptions, loadEta } from '../../src/index.js';
import { assertFreed, CLEAN, collect, loadTiny, QUESTION, UNSAFE } from './tiny.js';

/** Rounding decides no draw: what runs in other batches, or starts from kept cells, draws the same. */
const EXACT: LoadEtaOptions = { flashAttention: 'off', reuse: false };

let eta: Eta;
before(async () => {
  eta = await loadTiny(EXACT);
});
after(() => eta.dispose());

const ask = async (more: Partial<DecisionOptions> & { readonly seed?: number }) => {
  const request = { ...QUESTION, thresholds: CLEAN, ...more } as EtaRequest;
  const { result } = await collect(eta, request);
  return result.text;
};

test('without a temperature it is greedy, whatever the seed and the policy', async () => {
  const greedy = await ask({});
  assert.equal(await ask({ seed: 12 }), greedy);
  assert.equal(await ask({ answerTemperature: 0, seed: 13 }), greedy);
  await using paper = await loadTiny({ policy: 'paper' });
  assert.deepEqual([paper.facts.policy.answerTemperature, paper.facts.policy.answerTopP], [0, 1]);
  assert.equal((await paper.respond({ ...QUESTION, method: 'vanilla' })).text, greedy);
});

test('with one, the same seed gives the same answer, and other seeds others', async () => {
  const texts = new Set<string>();
  for (let seed = 0; seed < 6; seed++) {
    const [first, again] = [await ask({ answerTemperature: 1, seed }), await ask({ answerTemperature: 1, seed })];
    assert.equal(first, again);
    texts.add(first);
  }
  assert.ok(texts.size > 4, `${texts.size} of 6 differ`);
  assert.ok(!texts.has(await ask({})));
});

test('loadEta takes it for every request, and a request may turn it off', async () => {
  await using drawing = await loadTiny({ ...EXACT, answerTemperature: 1, answerTopP: 0.9 });
  const request = { ...QUESTION, thresholds: CLEAN };
  const drawn = (await drawing.respond(request)).text;
  assert.equal(drawn, await ask({ answerTemperature: 1, answerTopP: 0.9 }));
  assert.equal((await drawing.respond({ ...request, answerTemperature: 0 })).text, await ask({}));
});

test('a nucleus that is as good as nothing leaves the most likely token', async () => {
  const greedy = await ask({});
  for (const seed of [1, 2, 3]) {
    assert.equal(await ask({ answerTemperature: 1.5, answerTopP: 1e-6, seed }), greedy);
    assert.notEqual(await ask({ answerTemperature: 1.5, answerTopP: 1, seed }), greedy);
  }
});

test('it draws with a seed that no candidate has, and the search draws as without it', async () => {
  const searched = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' as const };
  const [greedy, drawn] = [await eta.respond(searched), await eta.respond({ ...searched, answerTemperature: 1 })];
  assert.notEqual(drawn.trace.vanillaText, greedy.trace.vanillaText);
  const said = ({ trace }: typeof greedy) => trace.rounds.map(({ candidates, chosen }) => ({ candidates, chosen }));
  assert.deepEqual(said(drawn), said(greedy));
  // A candidate of the same seed, drawn as the answer is, would say the same.
  const seeds = drawn.trace.rounds.flatMap(({ candidates }) => candidates.map(({ seed }) => seed));
  assert.equal(new Set(seeds).size, seeds.length);
  await assertFreed(eta, 'drawn');
});

test('three at once draw as each alone', async () => {
  const seeds = [21, 22, 23];
  const alone: string[] = [];
  for (const seed of seeds) alone.push(await ask({ answerTemperature: 0.8, seed }));
  assert.deepEqual(await Promise.all(seeds.map((seed) => ask({ answerTemperature: 0.8, seed }))), alone);
});

test('what cannot be drawn so is refused with a sentence', async () => {
  const refused = async (more: object, message: RegExp) => {
    const request = { ...QUESTION, ...more } as EtaRequest;
    await assert.rejects(async () => await eta.respond(request), { code: 'ERR_INVALID_OPTION', message });
    await assert.rejects(loadEta(more as LoadEtaOptions), { code: 'ERR_INVALID_OPTION', message });
  };
  await refused({ answerTopP: 0.5 }, /answerTopP: expected 1 for an answer that is not drawn, received 0\.5/);
  await refused({ answerTemperature: 0, answerTopP: 0.5 }, /answerTopP: expected 1/);
  await refused({ answerTemperature: -1 }, /answerTemperature: expected a number from 0 to 2; received -1/);
  await refused({ answerTemperature: 2.1 }, /answerTemperature: expected a number from 0 to 2; received 2.1/);
  await refused({ answerTemperature: 1, answerTopP: 0 }, /answerTopP: expected a number in \(0, 1\]; received 0/);
  await refused({ answerTemperature: Number.NaN }, /answerTemperature: expected a number from 0 to 2/);
  assert.ok(await ask({ answerTopP: 1 }), 'what changes nothing is taken');
});
