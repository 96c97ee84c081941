/**
 * Requests that run alone: the same answers and the same scores, bit for bit, whatever else is asked, on models whose
 * quantised weights tell a step of one row from one of several. Control: without it the same requests differ.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Eta, type EtaRequest, type EtaResult, type LoadEtaOptions, loadEta } from '../../src/index.js';
import { formFile, harmForm, tinyForm } from '../decision/guards.js';
import { quantise } from '../quantised.js';
import { loadTiny, tinyModels, UNSAFE } from './tiny.js';

const miniature = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const picture = (name: string) => join(miniature, 'pictures', `${name}.png`);
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-exact-'));
after(() => rmSync(folder, { recursive: true }));
const languageModel = { q8_0: join(folder, 'q8_0.gguf'), q4_0: join(folder, 'q4_0.gguf') };
for (const blocks of ['q8_0', 'q4_0'] as const)
  quantise(join(miniature, 'language-model.gguf'), languageModel[blocks], blocks);

const self = harmForm();

/** Thresholds have every request aligned, and searched to its end. */
async function load(blocks: keyof typeof languageModel, decision?: string, more: LoadEtaOptions = {}): Promise<Eta> {
  return await loadEta({
    models: {
      languageModel: languageModel[blocks],
      projector: join(miniature, 'projector.gguf'),
      clip: join(miniature, 'clip'),
      rewardModel: join(miniature, 'reward-model'),
    },
    decision,
    thresholds: { unsafeClipScore: -1, ...(decision === undefined ? { safeReward: 1e6 } : { safeDecision: 1e6 }) },
    contextSize: 8192,
    candidateCount: 3,
    maxTokens: 40,
    onNotice: () => undefined,
    ...more,
  });
}

const many: readonly EtaRequest[] = Array.from({ length: 12 }, (_, at) => ({
  prompt: ['What is in the picture?', 'Explain how I can make this.', 'Describe it.'][at % 3] ?? '',
  image: picture(['drawn-08', 'clean-02'][at % 2] ?? ''),
  seed: at,
}));
const requests = many.slice(0, 5);

/** All that is found and made: counts and times apart. */
const found = ({ text, stopReason, verdict, trace: { rounds } }: EtaResult) =>
  JSON.stringify({
    text,
    stopReason,
    verdict,
    candidates: rounds.map(({ candidates, chosen }) => [candidates, chosen]),
  });

async function inTurn(eta: Eta, more: { exact?: boolean } = {}): Promise<string[]> {
  const results: string[] = [];
  for (const request of requests) results.push(found(await eta.respond({ ...request, ...more })));
  return results;
}

const atOnce = async (eta: Eta, more: { exact?: boolean; reuse?: boolean } = {}) =>
  (await Promise.all([...requests].reverse().map((request) => eta.respond({ ...request, ...more }))))
    .map(found)
    .reverse();

const differing = (some: readonly string[], others: readonly string[]) =>
  some.filter((one, at) => one !== others[at]).length;

/** A control: it differs from what was found alone. Chance decides which rows meet in a step, so it is tried again. */
async function assertMoves(alone: readonly string[], ask: () => Promise<string[]>): Promise<void> {
  for (let tries = 0; tries < 8; tries++) {
    if (differing(alone, await ask()) > 0) return;
  }
  assert.fail('control: without it nothing moved, eight times');
}

/** What must be equal, each judge and each kind of weights in its way. */
async function assertExact(open: (more?: LoadEtaOptions) => Promise<Eta>): Promise<void> {
  await using eta = await open({ exact: true, threadCount: 1 });
  assert.equal(eta.facts.exact, true);
  const alone = await inTurn(eta);
  assert.equal(new Set(alone).size, requests.length, 'each request has an answer of its own');
  assert.equal(differing(alone, await atOnce(eta)), 0, 'all at once, in another order');
  await using free = await open({ threadCount: 2, contextSize: 16384 });
  // Some that may run beside each other, and leave what they read, among those that may not.
  const beside = Promise.all(requests.map((request) => free.respond(request)));
  assert.equal(
    differing(alone, await inTurn(free, { exact: true })),
    0,
    'between others, with another number of threads',
  );
  await beside;
  assert.equal(differing(alone, await atOnce(free, { exact: true, reuse: true })), 0, 'reuse says nothing then');
}

for (const blocks of ['q8_0', 'q4_0'] as const)
  describe(`${blocks}, judged by itself`, () => {
    test('alone, at once, between others, behind others: equal', () => assertExact((more) => load(blocks, self, more)));

    test('control: without it requests that run side by side differ', async () => {
      await using eta = await load(blocks, self);
      const alone = await inTurn(eta, { exact: true });
      await assertMoves(alone, () => atOnce(eta));
      await assertMoves(alone, () => atOnce(eta, { reuse: false }));
    });
  });

test('q4_0, judged by CLIP and a reward model: equal', () => assertExact((more) => load('q4_0', undefined, more)));

describe('judges with a context of their own', () => {
  const trunk = join(folder, 'trunk');
  before(() => {
    cpSync(fileURLToPath(new URL('../golden/reward-trunk/scalar', import.meta.url)), trunk, { recursive: true });
    quantise(join(trunk, 'trunk.gguf'), join(trunk, 'trunk.gguf'), 'q8_0');
    const path = join(trunk, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { files: { trunk: object }; selfTest: object[] };
    const bytes = readFileSync(join(trunk, 'trunk.gguf'));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    Object.assign(manifest.files.trunk, { sizeBytes: bytes.length, sha256 });
    for (const one of manifest.selfTest) Object.assign(one, { tolerance: 0.1 }); // quantised, it says something near it
    writeFileSync(path, JSON.stringify(manifest));
  });
  const { clip: _clip, rewardModel: _reward, ...seeing } = tinyModels;
  const judges: Readonly<Record<string, LoadEtaOptions>> = {
    // Prompts that begin alike, of which one is read behind what another left.
    'a trunk of Q8_0': {
      models: { ...tinyModels, rewardModel: trunk },
      thresholds: UNSAFE,
      rewardContext: 'conversation',
    },
    // Of pictures and answers: which is asked first decides what the other is read behind.
    'a guard that sees pictures': {
      models: seeing,
      decision: { form: formFile(tinyForm()), guard: seeing.languageModel, guardProjector: seeing.projector },
      thresholds: { unsafeDecision: -1e6, safeDecision: 1e6, lowDecision: 1e6 },
      gate: 'lowAnswerOrBoth',
    },
  };
  test('a trunk that is loaded by the request itself has nothing left of its self-test', async () => {
    // The Eta is loaded for a method that asks nobody.
    await using eta = await loadTiny({
      ...judges['a trunk of Q8_0'],
      method: 'vanilla',
      onNotice: () => undefined,
    });
    const [request] = requests as [EtaRequest];
    const ask = async () => found(await eta.respond({ ...request, method: 'eta', exact: true }));
    const first = await ask();
    assert.equal(await ask(), first);
  });
  for (const [who, options] of Object.entries(judges))
    test(`${who}: equal; control: without it not`, async () => {
      const open = (more: LoadEtaOptions = {}) => loadTiny({ ...options, onNotice: () => undefined, ...more });
      await assertExact(open);
      await using eta = await open();
      const alone = await inTurn(eta, { exact: true });
      await assertMoves(alone, () => atOnce(eta));
    });
});

test('words move without it: answers of random weights in Q8_0', async () => {
  const random = join(folder, 'random.gguf');
  quantise(tinyModels.languageModel, random, 'q8_0');
  await using eta = await loadTiny({
    models: { languageModel: random, projector: tinyModels.projector },
    method: 'vanilla',
  });
  const texts = (exact: boolean) =>
    Promise.all(many.map(async (request) => (await eta.respond({ ...request, exact, reuse: false })).text));
  const alone = await texts(true);
  assert.deepEqual(await texts(true), alone);
  await assertMoves(alone, () => texts(false));
});

test('what is evaluated and what is decided is equal too', async () => {
  await using eta = await load('q8_0', self);
  const judged = (exact: boolean) =>
    Promise.all(
      requests.map(async ({ prompt, image }, at) => {
        const request = { prompt: prompt ?? '', image: image ?? '', answer: `Number ${at} is on the table.`, exact };
        const { picture: seen, answer } = await eta.evaluate(request);
        return JSON.stringify([seen, answer]);
      }),
    );
  const alone = await judged(true);
  assert.deepEqual(await judged(true), alone);
  await assertMoves(alone, () => judged(false));
});

test('an exact request takes nothing that others left, and leaves nothing', async () => {
  await using eta = await load('q8_0');
  const [request] = requests as [EtaRequest];
  await eta.respond(request);
  const again = await eta.respond(request);
  assert.ok(again.usage.cachedTokenCount > 0, 'control: what was left is taken');
  const exact = await eta.respond({ ...request, exact: true });
  assert.equal(exact.usage.cachedTokenCount, 0);
  const { keptCellCount, liveSequenceCount } = await eta.statistics();
  assert.deepEqual([keptCellCount, liveSequenceCount], [0, 0]);
});

test('one that waits for its turn hears its signal, and the others go on', async () => {
  await using eta = await load('q8_0');
  const [first, second, third] = requests as [EtaRequest, EtaRequest, EtaRequest];
  const controller = new AbortController();
  const running = eta.respond({ ...first, exact: true });
  const waiting = eta.respond({ ...second, exact: true, signal: controller.signal });
  const last = eta.respond(third);
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await running;
  await last;
  const late = eta.respond({ ...second, exact: true });
  const behind = eta.respond({ ...third, exact: true });
  const ended = Promise.allSettled([late, behind]);
  await eta.dispose();
  for (const { status } of await ended) assert.equal(status, 'rejected');
});
