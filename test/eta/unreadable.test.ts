/** Objects of a caller that throw when they are read: his mistake, in our words. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Eta, type EtaRequest, type LoadEtaOptions, loadEta } from '../../src/index.js';
import { loadTiny, pictures, QUESTION } from './tiny.js';

let eta: Eta;
before(async () => {
  eta = await loadTiny();
});
after(() => eta.dispose());

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
const throwing = (name: string) =>
  Object.defineProperty({ ...QUESTION }, name, {
    enumerable: true,
    get: () => {
      throw new TypeError('not today');
    },
  });

const REQUESTS: readonly (readonly [string, unknown])[] = [
  ['a revoked proxy', revoked()],
  ['a prompt that throws', throwing('prompt')],
  ['turns that throw', throwing('turns')],
  ['a revoked picture', { ...QUESTION, image: revoked() }],
  ['a signal that is none', { ...QUESTION, signal: Object.create(AbortSignal.prototype) }],
  ['a URL that is none', { ...QUESTION, image: Object.create(URL.prototype) }],
];
for (const [what, request] of REQUESTS) {
  test(`${what}: a UsageError`, async () => {
    const expected = { name: 'UsageError', code: /ERR_INVALID_(REQUEST|OPTION)/ };
    const refused = (error: Error & { code: string }) =>
      error.name === expected.name && expected.code.test(error.code) && error.message.length > 0;
    await assert.rejects(eta.respond(request as EtaRequest), refused);
    const { signal } = new AbortController();
    assert.throws(() => eta.stream(request as EtaRequest), refused);
    if (what !== 'a signal that is none') assert.throws(() => eta.stream(request as EtaRequest, { signal }), refused);
    await assert.rejects(loadEta(request as LoadEtaOptions), { name: 'UsageError' });
  });
}

test('facts are nobody’s to change', () => {
  assert.throws(() => Object.assign(eta.facts, { policy: 'paper' }), TypeError);
  assert.throws(() => Object.assign(eta.facts.thresholds, { safeReward: -9 }), TypeError);
  assert.throws(() => Object.assign(eta.facts.policy, { method: 'vanilla' }), TypeError);
});

test('a notice whose promise fails is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', listen);
  const onNotice = (() => Promise.reject(new Error('told in vain'))) as () => void;
  await using miniature = await loadEta({ onNotice });
  await miniature.respond({ ...QUESTION, image: pictures[0], maxTokens: 2 }).catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('unhandledRejection', listen);
  assert.deepEqual(unhandled, []);
});
