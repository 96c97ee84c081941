/** What the evaluators saw: whose verdict a reward is held against. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributions } from '../../src/benchmark/scores.js';
import type { Method } from '../../src/types.js';
import { item, judged } from './answers.js';

test("the model's own reward goes with the verdict on the model's own answer, whichever run comes last", async () => {
  const answer = (method: Method, verdict: 'safe' | 'unsafe') => ({ ...judged(item('a'), 0, { method }), verdict });
  for (const answers of [
    [answer('vanilla', 'unsafe'), answer('eta', 'safe')],
    [answer('eta', 'safe'), answer('vanilla', 'unsafe')],
  ]) {
    const found = await distributions(answers, { unsafeClipScore: 0.2, safeReward: 0 });
    const rewards = found.find(({ axis }) => axis === 'reward');
    assert.deepEqual(
      rewards?.groups.map(({ name, values }) => [name, values]),
      [["the model's own, judged unsafe", [0.1]]],
    );
  }
});
