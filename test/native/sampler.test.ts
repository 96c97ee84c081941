/** The sampler computes only what decides, and draws what sorting and weighing everything would draw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { program } from './program.js';

/** Logits of which nothing can be drawn. */
const BROKEN = new Set(['with a NaN', 'with infinity', 'nothing left']);

test('every draw is that of the plainest way to draw, whatever the logits are', async () => {
  const lines = await program('sampler', { engine: ['sampler.cpp'] });
  assert.equal(lines.length, 9);
  for (const [shape = '', draws, failures, differences] of lines) {
    assert.ok(Number(draws) > 10_000, `${shape}: ${draws}`);
    assert.equal(Number(differences), 0, shape);
    // The control: what cannot be drawn from is found, and the rest is drawn.
    if (BROKEN.has(shape)) assert.equal(failures, draws, shape);
    else assert.ok(Number(failures) < Number(draws) / 10, `${shape}: ${failures}`);
  }
});
