/** How many cells a search takes, and how long an answer they hold: each against the other, and against a search laid out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchCellCount, searchRoomTokens, searchSequenceCount } from '../../src/search/index.js';

/** Most cells alive at once: candidates of every round as long as they may be. */
function laidOut(candidateCount: number, roomTokens: number, tokenLimit: number): number {
  let most = 0;
  for (let accepted = 0; accepted < roomTokens; ) {
    const length = Math.min(tokenLimit, roomTokens - accepted);
    most = Math.max(most, accepted + candidateCount * length);
    accepted += 1; // a winner may be as short as one token, so any number may be accepted before a round
  }
  return most;
}

test('cells are those of the round that takes most', () => {
  for (const candidateCount of [1, 2, 5]) {
    for (const tokenLimit of [1, 4, 7]) {
      for (let room = 1; room <= 30; room++)
        assert.equal(
          searchCellCount(candidateCount, room, tokenLimit),
          laidOut(candidateCount, room, tokenLimit),
          `N = ${candidateCount}, ${room} tokens, limit ${tokenLimit}`,
        );
    }
  }
  assert.equal(searchCellCount(5, 256, 70), 256 + 4 * 70);
  assert.equal(searchSequenceCount(5), 6);
});

test('room is the longest answer whose cells fit, and negative where there is not even none', () => {
  for (const candidateCount of [1, 2, 5]) {
    for (const tokenLimit of [1, 4, 7]) {
      for (let cells = 0; cells <= 60; cells++) {
        let longest = 0;
        while (searchCellCount(candidateCount, longest + 1, tokenLimit) <= cells) longest++;
        const found = searchRoomTokens(candidateCount, cells, tokenLimit);
        assert.equal(found, longest, `N = ${candidateCount}, ${cells} cells, limit ${tokenLimit}`);
      }
      assert.ok(searchRoomTokens(candidateCount, -1, tokenLimit) < 0);
    }
  }
});
