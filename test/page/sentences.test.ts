/// <reference types="svelte" />
/** What the page says of a verdict. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decision } from '../../src/page/sentences.js';
import type { Judgement, Verdict } from '../../src/types/verdict.js';

const judged = (isUnsafe: boolean) => ({ isUnsafe }) as Judgement;
const REFUSED: Verdict = { action: 'refused', picture: judged(true), answer: judged(true), final: judged(true) };

test('a fixed sentence behind an answer that was made again, and one where there was no room to make it', () => {
  assert.equal(
    decision(REFUSED),
    'The picture looks unsafe, and so does the model’s own answer, so it was held back and another was written. Even that one reads unsafe: a fixed sentence stands in.',
  );
  assert.equal(
    decision({ ...REFUSED, final: null }),
    'The picture looks unsafe, and so does the model’s own answer, and there was no room to write another: a fixed sentence stands in.',
  );
});
