/** What one request does wrong or asks in numbers is no other request's concern. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, before, test } from 'node:test';
import type { Model, Sequence } from '../../src/engine/index.js';
import { EXACT, started, tinyModel } from './fixture.js';

let model: Model;

before(async () => {
  model = await tinyModel();
});

after(async () => {
  await model.dispose();
});

test("a call that the addon refuses ends alone, not with the others' work", async (t) => {
  const mistakes: Record<string, (lane: Sequence) => Promise<unknown>> = {
    topK: (lane) => lane.decode({ sampler: { temperature: 1, topK: 2 ** 40 }, maxTokens: 3 }),
    temperature: (lane) => lane.decode({ sampler: { temperature: 1e9 }, maxTokens: 3 }),
    'a trim that was not awaited': (lane) => Promise.all([lane.trim(1), lane.decode({ maxTokens: 3 })]),
  };
  for (const [name, mistake] of Object.entries(mistakes)) {
    await t.test(name, async () => {
      await using context = await model.createContext(EXACT);
      const parts = await model.prompt([{ role: 'user', text: 'What is this?' }]);
      const [honest, other] = [await started(context, parts), await started(context, parts)];
      const work = honest.sequence.decode({ maxTokens: 40 });
      await assert.rejects(mistake(other.sequence), { code: 'ERR_INVALID_REQUEST' });
      assert.equal((await work).tokens.length, 40);
    });
  }
});

test('a limit beyond 32 bits is as good as none', async () => {
  await using context = await model.createContext({ ...EXACT, contextSize: 256 });
  const { sequence } = await started(context, await model.prompt([{ role: 'user', text: 'What is this?' }]));
  const decode = sequence.decode({ maxTokens: 2 ** 40, onText: () => void sequence.release() });
  await assert.rejects(decode, { code: 'ERR_DISPOSED' });
});

test('many candidates of one signal take one listener, and leave none', async () => {
  await using context = await model.createContext(EXACT);
  const lease = await context.reserve({ cellCount: 512, sequenceCount: 16 });
  const root = await lease.createSequence();
  await root.prefill(await model.prompt([{ role: 'user', text: 'What is this?' }]));
  const { signal } = new AbortController();
  const lanes = await root.fork(15);
  const decodes = lanes.map((lane, seed) => lane.decode({ sampler: { temperature: 1, seed }, maxTokens: 5, signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  await Promise.all(decodes);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});
