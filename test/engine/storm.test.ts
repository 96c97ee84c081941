/** Three seconds of requests that come, branch, pause, abort and are released at any moment: texts stay right, nothing leaks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import type { NativePart } from '../../src/native/context-types.js';
import { aloneText, EXACT, picture, QUESTIONS, tinyModel } from './fixture.js';

const STORM_MS = 3000;
const LENGTH = 24;

test('a storm', async () => {
  await using model = await tinyModel();
  await using context = await model.createContext({
    ...EXACT,
    contextSize: 768,
    sequenceCount: 12,
    batchSize: 32,
    microBatchSize: 32,
  });
  const image = await picture(model);
  const prompts = await Promise.all(
    QUESTIONS.map((text, k) => model.prompt([{ role: 'user', text, images: k % 2 ? [image] : [] }])),
  );
  const expected: string[] = [];
  for (const parts of prompts) expected.push(await aloneText(model, parts, LENGTH));
  const set = await context.createTokenSet(model.tokensContaining('.!?'));
  const counts = { finished: 0, aborted: 0, released: 0 };
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  const later = (share: number, mostMs: number, act: () => void) =>
    random() < share ? setTimeout(act, random() * mostMs) : undefined;

  /** One greedy answer, and three sampled branches that pause here and there beside it. */
  async function answer(lease: Lease, parts: readonly NativePart[], signal: AbortSignal): Promise<string | undefined> {
    const prompt = await lease.createSequence();
    await prompt.prefill(parts, { signal });
    const [first, ...others] = await prompt.fork(4);
    const pause = { set, accept: () => random() < 0.5 };
    const branches = others.map((lane, seed) =>
      lane.decode({ sampler: { temperature: 1.5, topK: 20, seed }, maxTokens: 20, signal, pause }),
    );
    const greedy = first?.decode({ sampler: { temperature: 0 }, maxTokens: LENGTH, signal });
    const [, decoded] = await Promise.all([Promise.allSettled(branches), greedy]);
    return decoded?.text;
  }

  async function client(): Promise<void> {
    for (const end = Date.now() + STORM_MS; Date.now() < end; ) {
      const k = Math.floor(random() * prompts.length);
      const parts = prompts[k] ?? [];
      const cells = parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);
      const controller = new AbortController();
      const abort = later(0.4, 60, () => controller.abort());
      let lease: Lease | undefined;
      let release: NodeJS.Timeout | undefined;
      try {
        lease = await context.reserve({ cellCount: cells + 4 * LENGTH, sequenceCount: 5 }, controller.signal);
        release = later(0.1, 20, () => void lease?.release());
        assert.equal(await answer(lease, parts, controller.signal), expected[k]);
        counts.finished++;
      } catch (error) {
        if (!(error instanceof EtaError)) throw error;
        assert.ok(
          error.code === 'ERR_ABORTED' || (error.code === 'ERR_DISPOSED' && release !== undefined),
          error.stack,
        );
        counts[error.code === 'ERR_ABORTED' ? 'aborted' : 'released']++;
      } finally {
        clearTimeout(abort);
        clearTimeout(release);
        await lease?.release();
      }
    }
  }

  await Promise.all(Array.from({ length: 8 }, client));
  const { liveSequenceCount, usedCellCount } = await context.statistics();
  assert.deepEqual({ liveSequenceCount, usedCellCount }, { liveSequenceCount: 0, usedCellCount: 0 });
  assert.ok(counts.finished > 5 && counts.aborted > 0, JSON.stringify(counts));
  image.dispose();
});
