/**
 * A batch of eight at once against the paper's schedule on the same engine: requests about the miniature's pictures, all
 * of them aligned, and then as their thresholds have it. The paper's schedule makes each answer with as many candidates,
 * rounds and tokens as ours took.
 *
 *     node --import tsx bench/peers/batch-schedule.ts [--requests 16] [--tokens 96] [--repeat 3] [--threads N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResultsFile, roomFor, runBatch, seedOf, settingsOf } from '../../src/batch/index.js';
import type { EtaRequest } from '../../src/index.js';
import { sideBySide } from '../../src/side-by-side.js';
import { ALIGNED, openEta } from './answers.js';
import { changedGallery } from './changed-gallery.js';
import { fasterRow, inTurn, type Row, report } from './comparison.js';
import { PaperSchedule } from './paper-schedule.js';
import { described, filesOf, settings } from './settings.js';

const AT_ONCE = 8;
const SEED = 1;
const PAPER = "the paper's schedule";
const options = settings({ model: 'miniature', tokens: 96, repeat: 3, requests: 16 });
const { repeat, tokens: maxTokens, requests: count, folder } = options;
const files = await filesOf(options);
const work = mkdtempSync(join(tmpdir(), 'eta-vlm-bench-batch-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
await using eta = await openEta(files, options, { ...roomFor(AT_ONCE, { maxTokens }), maxTokens });
await using paper = await PaperSchedule.open(files, options);

/** @param thresholds of every request; undefined: the models' own */
async function measure(thresholds: EtaRequest['thresholds'], what: string): Promise<Row> {
  const gallery = async (turn: number) =>
    (await changedGallery(folder, count, turn)).map(({ id, ...question }) => ({
      id,
      request: { ...question, thresholds },
    }));
  const asked = await sideBySide(await gallery(0), AT_ONCE, async ({ id, request }) => ({
    request,
    result: await eta.respond({ ...request, seed: seedOf(SEED, id) }),
  }));
  const given = await settingsOf(eta.facts, { seed: SEED });
  const batch = async (turn: number): Promise<number> => {
    const requests = await gallery(turn + 1);
    const startedAt = performance.now();
    const path = join(work, 'answers.jsonl');
    await using results = await ResultsFile.open({ path, settings: given, overwrite: true });
    await runBatch({ eta, requests, results, concurrency: AT_ONCE });
    return (performance.now() - startedAt) / count;
  };
  const schedule = async (): Promise<number> => {
    const startedAt = performance.now();
    for (const { request, result } of asked) await paper.answer(request, result);
    return (performance.now() - startedAt) / count;
  };
  const times = await inTurn({ ours: batch, theirs: schedule }, repeat);
  const aligned = asked.filter(({ result }) => result.trace.alignedText !== null).length;
  const atLeast = aligned === count ? 12 : undefined;
  return fasterRow({ what: `${what}, ${aligned} of ${count} aligned`, ...times, against: PAPER, atLeast });
}

report(`${described(options)}; ${count} requests of at most ${maxTokens} tokens, ${AT_ONCE} at once`, [
  await measure(ALIGNED, 'a batch, a request'),
  await measure(undefined, "a batch at the models' own thresholds, a request"),
]);
