/** What several prompts begin with, and what is left of each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonBeginning, type NativeImage, type NativePart } from '../../src/engine/index.js';

const tokens = (...ids: number[]) => Int32Array.from(ids);
const picture = (tokenCount: number) => ({ tokenCount, positionCount: tokenCount }) as NativeImage;
const told = (parts: readonly NativePart[]) => parts.map((part) => (part instanceof Int32Array ? [...part] : part));
const [one, other] = [picture(5), picture(5)];

const CASES: readonly (readonly [
  what: string,
  prompts: NativePart[][],
  tokenCount: number,
  shared: unknown,
  rests: unknown,
])[] = [
  ['tokens alone', [[tokens(1, 2, 3)], [tokens(1, 2, 4, 5)]], 2, [[1, 2]], [[[3]], [[4, 5]]]],
  ['the same in other pieces', [[tokens(1, 2), tokens(3, 4)], [tokens(1, 2, 3)]], 3, [[1, 2], [3]], [[[4]], []]],
  [
    'the same picture',
    [
      [tokens(1), one, tokens(2)],
      [tokens(1), one, tokens(3)],
    ],
    6,
    [[1], one],
    [[[2]], [[3]]],
  ],
  [
    'another picture',
    [
      [tokens(1), one],
      [tokens(1), other],
    ],
    1,
    [[1]],
    [[one], [other]],
  ],
  ['of three the least', [[tokens(1, 2, 3)], [tokens(1, 2, 3)], [tokens(1, 9)]], 1, [[1]], [[[2, 3]], [[2, 3]], [[9]]]],
  ['nothing', [[tokens(1)], [tokens(2)]], 0, [], [[[1]], [[2]]]],
  ['one prompt is all of it', [[tokens(1, 2), one]], 7, [[1, 2], one], [[]]],
  ['no prompt', [], 0, [], []],
];

for (const [what, prompts, tokenCount, shared, rests] of CASES) {
  test(what, () => {
    const found = commonBeginning(prompts);
    assert.deepEqual(
      { tokenCount: found.tokenCount, shared: told(found.shared), rests: found.rests.map(told) },
      { tokenCount, shared, rests },
    );
  });
}
