import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allot, largestPrompt } from '../../src/eta/allotment.js';
import { POLICIES } from '../../src/policy/policy.js';

const room = { cellCount: 4096, trainedContextLength: 4096 };
const policy = POLICIES.paper;
const READ = { promptCount: 600, prefixCount: 4 };
const ASKED = { ...READ, askedCount: 30 };

test('a search reserves its longest answer and the last round of losers beside it', () => {
  assert.deepEqual(allot(POLICIES.standard, room, READ), {
    maxTokens: 1024,
    roomTokens: 1024,
    cellCount: 600 + 4 + 1024 + 4 * 70,
    sequenceCount: 6,
  });
});

test('where the last sentence may pass the limit, there is room for it', () => {
  assert.deepEqual(allot(policy, room, READ), {
    maxTokens: 1024,
    roomTokens: 1024 + 69,
    cellCount: 600 + 4 + 1024 + 69 + 4 * 70,
    sequenceCount: 6,
  });
  const { maxTokens, roomTokens } = allot(policy, { ...room, trainedContextLength: 1650 }, READ);
  assert.deepEqual({ maxTokens, roomTokens }, { maxTokens: 1024, roomTokens: 1046 });
});

test('one answer needs neither prefix nor candidates', () => {
  assert.deepEqual(allot({ ...policy, method: 'vanilla' }, room, READ), {
    maxTokens: 1024,
    roomTokens: 1024,
    cellCount: 1624,
    sequenceCount: 2,
  });
  assert.equal(allot({ ...policy, method: 'shallow' }, room, READ).cellCount, 600 + 4 + 1024);
  assert.equal(allot({ ...policy, method: 'deep' }, room, READ).cellCount, 600 + 1024 + 69 + 4 * 70);
});

test('where the window or the cells end, so does the answer', () => {
  assert.equal(allot(policy, { ...room, trainedContextLength: 1000 }, READ).maxTokens, 396);
  const tight = allot(policy, { ...room, cellCount: 1000 }, READ);
  assert.equal(tight.maxTokens, 1000 - 604 - 280);
  assert.equal(tight.cellCount, 1000);
  assert.equal(allot(policy, { cellCount: 620, trainedContextLength: 0 }, READ).maxTokens, 3);
});

test('what the model is asked about its own answers has room behind each, eight at once', () => {
  const standard = POLICIES.standard;
  const plain = allot(standard, room, READ);
  const asking = allot(standard, room, ASKED);
  assert.equal(asking.cellCount, plain.cellCount + 5 * 30);
  assert.equal(asking.sequenceCount, plain.sequenceCount + 5);
  const many = { ...standard, candidateCount: 20, maxTokens: 64 };
  assert.equal(allot(many, room, ASKED).cellCount, allot(many, room, READ).cellCount + 8 * 30);
  assert.equal(allot(many, room, ASKED).sequenceCount, 21 + 8);
  const vanilla = { ...standard, method: 'vanilla' as const };
  assert.deepEqual(allot(vanilla, room, { ...READ, askedCount: 0 }), allot(vanilla, room, READ), 'nobody is asked');
  // The question stands in the window too, and in the cells that there are.
  assert.equal(allot(standard, { ...room, trainedContextLength: 1000 }, ASKED).maxTokens, 396 - 30);
  const tight = allot(standard, { ...room, cellCount: 1200 }, ASKED);
  assert.equal(tight.maxTokens, 1200 - 604 - 280 - 150);
  assert.equal(tight.cellCount, 1200);
});

test('a prompt that leaves no room is refused with the figures', () => {
  assert.throws(() => allot(policy, { ...room, cellCount: 608 }, READ), {
    code: 'ERR_PROMPT_TOO_LONG',
    message:
      'request: expected a prompt that leaves room for an answer of 5 candidates in 608 tokens, received one of 600 tokens. ' +
      'Shorten the conversation or show fewer pictures. Or load with a larger contextSize.',
  });
  const trained = { ...room, trainedContextLength: room.cellCount };
  assert.throws(() => allot({ ...policy, method: 'vanilla' }, trained, { promptCount: 4096, prefixCount: 4 }), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: new RegExp(`show fewer pictures: the model was trained for ${room.cellCount} tokens\\.$`),
  });
});

test('a model that does not say what it was trained for is bounded by the cells alone', () => {
  const unknown = { cellCount: 608, trainedContextLength: 0 };
  assert.throws(() => allot(policy, unknown, READ), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: /in 608 tokens, .* Or load with a larger contextSize\.$/,
  });
  assert.deepEqual(
    [unknown, { ...unknown, trainedContextLength: 600 }, { ...unknown, trainedContextLength: 700 }].map(largestPrompt),
    [607, 599, 607],
  );
  // A window beyond the cells is no reason for a shorter conversation alone.
  assert.throws(() => allot(policy, { ...unknown, trainedContextLength: 609 }, READ), /a larger contextSize\.$/);
  assert.throws(() => allot(policy, { ...unknown, trainedContextLength: 608 }, READ), /trained for 608 tokens\.$/);
});

test('beside a principle the own answer stands twice, and its prompt takes room of its own', () => {
  const leaning = { ...READ, principledCount: 50 };
  const vanilla = { ...POLICIES.standard, method: 'vanilla' as const, maxTokens: 100 };
  assert.deepEqual(allot(vanilla, room, leaning), {
    maxTokens: 100,
    roomTokens: 100,
    cellCount: 600 + 50 + 2 * 100,
    sequenceCount: 3,
  });
  const searched = allot({ ...POLICIES.standard, maxTokens: 100 }, room, leaning);
  assert.equal(searched.cellCount, 600 + 4 + 50 + Math.max(100 + 4 * 70, 2 * 100));
  assert.equal(searched.sequenceCount, 6);
  assert.equal(allot(vanilla, { ...room, cellCount: 751 }, leaning).maxTokens, 50, 'half of what is free');
  assert.equal(
    allot(vanilla, { ...room, trainedContextLength: 700 }, leaning).maxTokens,
    50,
    'behind the longer prompt',
  );
});

test('just one token has room, and the prompt that takes it is refused', () => {
  const vanilla = { ...policy, method: 'vanilla' as const };
  for (const narrow of [
    { cellCount: 601, trainedContextLength: 0 },
    { cellCount: 4096, trainedContextLength: 601 },
  ]) {
    assert.deepEqual(allot(vanilla, narrow, { promptCount: 600, prefixCount: 0 }), {
      maxTokens: 1,
      roomTokens: 1,
      cellCount: 601,
      sequenceCount: 2,
    });
    assert.throws(() => allot(vanilla, narrow, { promptCount: 601, prefixCount: 0 }), { code: 'ERR_PROMPT_TOO_LONG' });
  }
});
