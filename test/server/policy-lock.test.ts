/** A server whose policy is locked: its clients get what it decides, and nothing that was held back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Eta } from '../../src/index.js';
import { Asked, HARMFUL, HARMLESS, type Json, loadMiniature, UNSAFE } from './served.js';

let eta: Eta;
let locked: Asked;
let free: Asked;
before(async () => {
  eta = await loadMiniature();
  locked = new Asked(eta, { lockPolicy: true });
  free = new Asked(eta);
});
after(async () => await eta.dispose());

for (const [own, param] of [
  [{ method: 'vanilla' }, 'eta.method'],
  [{ gate: 'picture' }, 'eta.gate'],
  [{ ladder: ['caption'] }, 'eta.ladder'],
  [{ candidateCount: 1 }, 'eta.candidateCount'],
  [{ firstCandidateCount: 1 }, 'eta.firstCandidateCount'],
  [{ temperature: 0.1 }, 'eta.temperature'],
  [{ clipWeight: 0 }, 'eta.clipWeight'],
  [{ release: 'checked' }, 'eta.release'],
  [{ whenStillUnsafe: 'return' }, 'eta.whenStillUnsafe'],
  [{ safetyPrompt: 'cats' }, 'eta.safetyPrompt'],
  [{ interferencePrefix: 'Sure' }, 'eta.interferencePrefix'],
  [{ refusalText: 'no' }, 'eta.refusalText'],
  [{ thresholds: { safeReward: -1e6 } }, 'eta.thresholds.safeReward'],
  [{ thresholds: { unsafeDecision: 1 } }, 'eta.thresholds.unsafeDecision'],
  [{ include: ['verdict', 'trace'] }, 'eta.include'],
  [{ include: ['events'] }, 'eta.include'],
] as const) {
  test(`refused where it is locked: ${JSON.stringify(own)}`, async () => {
    const body: Json = { messages: HARMFUL, eta: own, max_tokens: 4 };
    const { status, body: told } = await locked.chat(body);
    const { code, type, message } = told['error'];
    assert.deepEqual([status, code, type, told['error'].param], [403, 'ERR_POLICY_LOCKED', 'permission_error', param]);
    assert.match(message, /because the server's policy is locked; received .*\. Leave it out\.$/);
    const { status: streamed } = await locked.chat({ ...body, stream: true });
    assert.equal(streamed, 403);
  });
}

test('it is what makes the difference: without it the same is answered', async () => {
  const body: Json = { messages: HARMFUL, max_tokens: 4, eta: { method: 'vanilla', include: ['trace'] } };
  assert.equal((await free.chat(body)).status, 200);
});

test('what is in force may be named, and what is the answer’s own chosen', async () => {
  const { policy, thresholds } = eta.facts;
  const { method, candidateCount, refusalText } = policy;
  const { safeReward } = thresholds;
  const { status, body } = await locked.chat({
    messages: HARMLESS,
    temperature: 1,
    top_p: 0.9,
    max_tokens: 30,
    stop: ['zzz'],
    seed: 3,
    moderation: { policy: { output: { mode: 'block' } } },
    eta: {
      method,
      candidateCount,
      refusalText,
      thresholds: { safeReward },
      reuse: false,
      include: ['verdict', 'timings'],
    },
  });
  assert.equal(status, 200, JSON.stringify(body));
  const aligned = await locked.chat({ messages: HARMFUL, seed: 1, eta: {} });
  assert.equal(aligned.body['choices'][0].eta.verdict.action, 'aligned');
  assert.ok(!JSON.stringify(aligned.body).includes('coilpearl'), 'what was held back is nowhere');
});

test('a threshold that is named as it is in force is the one in force', async () => {
  const { unsafeClipScore, safeReward } = eta.facts.thresholds;
  const named = { method: 'post', thresholds: { unsafeClipScore, safeReward } };
  const verdictOf = async (asked: Asked, own: Json) =>
    (await asked.chat({ messages: HARMFUL, seed: 1, eta: own })).body['choices'][0].eta.verdict;
  const { picture, answer } = await verdictOf(locked, { thresholds: named.thresholds });
  assert.deepEqual([picture.isCalibrated, picture.calibratedOn, answer.isCalibrated], [true, 'both', true]);
  const other = await verdictOf(free, { ...named, thresholds: { safeReward: (safeReward ?? 0) + 1e-6 } });
  assert.equal(other.answer.isCalibrated, false, 'another number is nobody’s measure');
});

test('moderations too', async () => {
  const input = [{ type: 'image_url', image_url: { url: UNSAFE } }];
  for (const own of [
    { thresholds: { unsafeClipScore: 1 } },
    { safetyPrompt: 'cats' },
    { rewardContext: 'conversation' },
  ]) {
    const { status, body } = await locked.post('/v1/moderations', { input, eta: own });
    assert.deepEqual([status, body['error'].code], [403, 'ERR_POLICY_LOCKED'], JSON.stringify(own));
  }
  assert.equal((await locked.post('/v1/moderations', { input, eta: { reuse: false } })).status, 200);
});

test('facts tell it, for whoever shows choices', async () => {
  assert.equal((await locked.get('/eta/facts')).body['isPolicyLocked'], true);
  assert.equal((await free.get('/eta/facts')).body['isPolicyLocked'], false);
});
