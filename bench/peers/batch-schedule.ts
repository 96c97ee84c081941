/**
 * A batch of eight at once against the paper's schedule on the same engine: requests about the miniature's pictures, half
 * of which are aligned. The paper's schedule makes each answer with as many candidates, rounds and tokens as ours took.
 *
 *     node --import tsx bench/peers/batch-schedule.ts [--requests 16] [--tokens 96] [--repeat 3] [--threads N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResultsFile, roomFor, runBatch, seedOf, settingsOf } from '../../src/batch/index.js';
import { sideBySide } from '../../src/side-by-side.js';
import { openEta } from './answers.js';
import { changedGallery } from './changed-gallery.js';
import { fasterRow, inTurn, report } from './comparison.js';
import { PaperSchedule } from './paper-schedule.js';
import { described, filesOf, settings } from './settings.js';

const AT_ONCE = 8;
const SEED = 1;
const options = settings({ model: 'miniature', tokens: 96, repeat: 3, requests: 16 });
const { repeat, tokens: maxTokens, requests: count, folder } = options;
const files = await filesOf(options);
const work = mkdtempSync(join(tmpdir(), 'eta-vlm-bench-batch-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
await using eta = await openEta(files, options, { ...roomFor(AT_ONCE, { maxTokens }), maxTokens });
await using paper = await PaperSchedule.open(files, options);

const asked = await sideBySide(await changedGallery(folder, count, 0), AT_ONCE, async (request) => {
  const { id, ...question } = request;
  return { request, result: await eta.respond({ ...question, seed: seedOf(SEED, id) }) };
});

async function batch(turn: number): Promise<number> {
  const requests = (await changedGallery(folder, count, turn + 1)).map(({ id, ...request }) => ({ id, request }));
  const given = await settingsOf(eta.facts, { seed: SEED });
  const startedAt = performance.now();
  await using results = await ResultsFile.open({
    path: join(work, 'answers.jsonl'),
    settings: given,
    overwrite: true,
  });
  await runBatch({ eta, requests, results, concurrency: AT_ONCE });
  return (performance.now() - startedAt) / count;
}

async function schedule(): Promise<number> {
  const startedAt = performance.now();
  for (const { request, result } of asked) await paper.answer(request, result);
  return (performance.now() - startedAt) / count;
}

const times = await inTurn({ ours: batch, theirs: schedule }, repeat);
const aligned = asked.filter(({ result }) => result.verdict.action !== 'answered').length;
report(`${described(options)}; ${count} requests, ${aligned} of them aligned, ${AT_ONCE} at once`, [
  fasterRow({ what: 'a batch, a request', ...times, against: "the paper's schedule", atLeast: 12 }),
]);
