/** Why answers end, on every path: the miniature ends its answers, the tiny models hardly ever do. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isCut, stopReasonOf } from '../../src/eta/stop-reason.js';
import {
  type DecisionOptions,
  type Eta,
  type EtaRequest,
  type EtaResult,
  loadEta,
  type StopReason,
} from '../../src/index.js';
import { CLEAN, collect, FLAGGED_SAFE, loadTiny, QUESTION, UNSAFE } from './tiny.js';

const ALIGNED = { thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;

test('a limit, or the model', () => {
  const reason = (tokenCount: number, isEnded: boolean, isStopped = false) =>
    stopReasonOf({ tokenCount, isEnded, isStopped }, 8);
  assert.deepEqual([reason(3, true), reason(8, true), reason(8, false), reason(9, false), reason(7, false)], [
    'end',
    'end',
    'length',
    'length',
    'context',
  ] satisfies StopReason[]);
  assert.deepEqual([reason(3, false, true), reason(8, false, true)], ['sequence', 'sequence'] satisfies StopReason[]);
  const all = ['end', 'sequence', 'refusal', 'length', 'context', null] as const;
  assert.deepEqual(all.map(isCut), [false, false, false, true, true, false]);
});

describe('an answer that the model ends', () => {
  let eta: Eta;
  before(async () => {
    eta = await loadEta();
  });
  after(() => eta.dispose());

  const picture = fileURLToPath(new URL('../../models/miniature/pictures/clean-04.png', import.meta.url));
  const banana: EtaRequest = { image: picture, prompt: 'Where is the banana in the picture?', seed: 1 };

  /** The end token is one to sample too: with as many tokens as the answer has, it is cut. */
  for (const [name, request, prefixCount] of [
    ['of its own', { ...banana, thresholds: CLEAN }, 0],
    ['shallow', { ...banana, ...ALIGNED, method: 'shallow' }, 4],
    ['searched', { ...banana, ...ALIGNED, method: 'deep' }, 0],
    ['searched behind the prefix', { ...banana, ...ALIGNED }, 4],
    ['searched by token', { ...banana, ...ALIGNED, method: 'deep', sentenceEnd: 'token' }, 0],
  ] as const satisfies readonly (readonly [string, EtaRequest, number])[]) {
    test(`${name}: cut with fewer tokens, and with just as many`, async () => {
      const whole = await eta.respond(request);
      assert.equal(whole.stopReason, 'end');
      const count = whole.usage.answerTokenCount - prefixCount;
      const ask = async (maxTokens: number) => {
        const { text, stopReason, usage } = await eta.respond({ ...request, maxTokens });
        return { text, stopReason, count: usage.answerTokenCount - prefixCount };
      };
      assert.deepEqual(await ask(count + 1), { text: whole.text, stopReason: 'end', count });
      assert.deepEqual(await ask(count), { text: whole.text, stopReason: 'length', count });
      const cut = await ask(count - 1);
      // The rule that ends a sentence at "." alone finishes the last one.
      const isFinished = 'sentenceEnd' in request;
      assert.equal(cut.stopReason, 'length');
      assert.equal(cut.count, isFinished ? count : count - 1);
      assert.equal(cut.text, isFinished ? whole.text : whole.text.slice(0, cut.text.length));
    });
  }

  test('an aligned answer that the model ended, in the trace of a refusal too', async () => {
    const { stopReason, trace, verdict } = await eta.respond({ ...banana, thresholds: UNSAFE });
    assert.deepEqual(
      [verdict.action, stopReason, trace.vanillaStopReason, trace.alignedStopReason],
      ['refused', 'refusal', 'end', 'end'],
    );
  });
});

describe('an answer that goes on', () => {
  let eta: Eta;
  before(async () => {
    eta = await loadTiny({ contextSize: 512, maxTokens: 20 });
  });
  after(() => eta.dispose());

  const ends = ({ stopReason, trace }: EtaResult) => [stopReason, trace.vanillaStopReason, trace.alignedStopReason];

  test('each method tells of the answers that it makes', async () => {
    const clean = { ...QUESTION, thresholds: CLEAN };
    const aligned = { ...QUESTION, ...ALIGNED };
    const rows: readonly (readonly [EtaRequest, readonly (StopReason | null)[]])[] = [
      [{ ...clean, method: 'vanilla' }, ['length', 'length', null]],
      [clean, ['length', 'length', null]],
      [{ ...QUESTION, thresholds: FLAGGED_SAFE }, ['length', 'length', null]],
      [{ ...aligned, method: 'pre' }, ['length', null, 'length']],
      [{ ...aligned, method: 'shallow' }, ['length', 'length', 'length']],
      [{ ...aligned, method: 'deep' }, ['length', 'length', 'length']],
      [{ ...aligned, method: 'eta' }, ['length', 'length', 'length']],
      [{ ...QUESTION, thresholds: UNSAFE }, ['refusal', 'length', 'length']],
    ];
    for (const [request, expected] of rows)
      assert.deepEqual(ends(await eta.respond(request)), expected, JSON.stringify(request.method));
  });

  for (const [name, more] of [
    ['of its own', { method: 'vanilla' }],
    ['shallow', { ...ALIGNED, method: 'shallow' }],
    ['searched', ALIGNED],
    ['searched by token', { ...ALIGNED, sentenceEnd: 'token' }],
  ] as const satisfies readonly (readonly [string, DecisionOptions])[]) {
    test(`${name}: cut where the room ends, or by the number that was asked for where that comes first`, async () => {
      const ask = (maxTokens: number) => eta.respond({ ...QUESTION, ...more, maxTokens });
      const most = await ask(100_000);
      const prefixCount = 'whenStillUnsafe' in more ? await prefixTokenCount() : 0;
      const room = most.usage.answerTokenCount - prefixCount;
      assert.equal(most.stopReason, 'context');
      for (const [maxTokens, reason] of [
        [room + 1, 'context'],
        [room, 'length'],
        [room - 1, 'length'],
      ] as const) {
        const { stopReason, usage } = await ask(maxTokens);
        assert.equal(stopReason, reason, `${maxTokens} of ${room} tokens`);
        assert.ok(
          usage.answerTokenCount - prefixCount >= Math.min(maxTokens, room),
          `${usage.answerTokenCount} tokens`,
        );
      }
    });
  }

  async function prefixTokenCount(): Promise<number> {
    const { trace, usage } = await eta.respond({ ...QUESTION, ...ALIGNED });
    const counts = trace.rounds.map(({ candidates, chosen }) => candidates[chosen]?.tokenCount ?? 0);
    return usage.answerTokenCount - counts.reduce((sum, count) => sum + count, 0);
  }

  test('the event of the own answer tells it, before the verdict', async () => {
    const { events, result } = await collect(eta, { ...QUESTION, thresholds: UNSAFE, maxTokens: 5 });
    const [vanilla] = events.filter((event) => event.type === 'vanilla');
    assert.deepEqual(vanilla, {
      type: 'vanilla',
      text: result.trace.vanillaText ?? '',
      stopReason: 'length',
    });
    assert.equal(result.stopReason, 'refusal');
  });
});
