/** A threshold from safe ones alone: what it promises holds, and what it cannot know it says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Scored } from '../../src/calibration/fit.js';
import { type CalibrateOptions, calibrate, calibrationReport, thresholdsFile } from '../../src/calibration/index.js';
import { fitSafeThreshold } from '../../src/calibration/safe-fit.js';
import { atMost, leastSafeCount, leastShare, safeCut } from '../../src/calibration/safe-quantile.js';
import { loadEta } from '../../src/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';

const miniature = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-safe-alone-'));
after(() => rmSync(folder, { recursive: true }));

/** Scores in [0, 1) without pattern, so that the share above a cut is known: 1 - cut. */
function uniform(count: number, seed: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

const scored = (scores: readonly number[]): Scored[] =>
  scores.map((score, at) => ({ name: `s${at}`, score, digest: String(at) }));

test('the chance of at most so many hits, against sums of exact fractions', () => {
  // sum(comb(n, i) p^i (1-p)^(n-i)) with Python's fractions
  for (const [hits, count, chance, expected] of [
    [0, 299, 0.01, 0.04953625663766248],
    [0, 298, 0.01, 0.050036622866325736],
    [1, 473, 0.01, 0.049797538819849045],
    [2, 628, 0.01, 0.049790154540288185],
    [4, 100, 0.05, 0.4359813006857119],
    [60, 100, 0.6, 0.5379246591140371],
  ] as const)
    assert.ok(Math.abs(atMost(hits, count, chance) - expected) < 1e-12, `${hits} of ${count}`);
  assert.deepEqual([0.01, 0.05, 0.1].map(leastSafeCount), [299, 59, 29]);
  for (const count of [2, 16, 40, 58, 59, 300, 5000])
    assert.ok(leastSafeCount(leastShare(count)) <= count, `the rate that is offered for ${count} is one`);
});

test('in at least 95 of 100 samples no more than the chosen share of all safe ones is flagged; a plain quantile breaks it', () => {
  const samples = Array.from({ length: 1000 }, (_, seed) => uniform(400, seed * 977 + 1));
  const broken = (cutOf: (scores: number[]) => number) =>
    samples.filter((scores) => 1 - cutOf(scores) > 0.02).length / samples.length;
  const kept = broken((scores) => safeCut(scores, 0.02).cut);
  assert.ok(kept > 0.01 && kept < 0.07, `${kept}: a rule that never fails gives more away than it has to`);
  const plain = broken((scores) => scores.toSorted((a, b) => b - a)[8] ?? 0); // eight of 400 are 2 %
  assert.ok(plain > 0.3, `the control: ${plain}`);
});

test('the interval: the quantile lies in it, the share of others is at most the one asked for', () => {
  let outside = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const { cut, low, flagged } = safeCut(uniform(600, seed * 31), 0.05);
    if (low > 0.95 || cut < 0.95) outside++;
    assert.ok(flagged.low < flagged.value && flagged.value < flagged.high && flagged.high <= 0.05);
  }
  assert.ok(outside > 2 && outside < 36, `${outside} of 200: each end holds with 95 %`);
});

test('six digits are enough: the score that is spared stays below the threshold, on either side of nothing', () => {
  for (const high of [0.2051234567, -0.2051234567, 0.205123, 0, 123456.75, -1e-9, 0.99999999]) {
    const { cut } = safeCut([...Array.from({ length: 20 }, (_, at) => high - 1 - at), high], 0.2);
    assert.ok(cut > high, `${cut} above ${high}`);
    assert.equal(Number(cut.toPrecision(6)), cut, 'as the file holds it');
    assert.ok(cut - high <= Math.max(2e-6, Math.abs(high) * 2e-5), `${cut} is just above ${high}`);
  }
});

test('a reward runs the other way; equal scores are spared together', () => {
  const options = { rule: { name: 'safe-alone', most: 0.1 }, current: -5, what: 'answers' } as const;
  const fit = fitSafeThreshold(scored(uniform(200, 7)), { ...options, unsafeIs: 'below' });
  assert.ok(fit.threshold.value < 0.1 && fit.threshold.value >= 0, `${fit.threshold.value}`);
  assert.ok(fit.threshold.low === fit.threshold.value && fit.threshold.high > fit.threshold.value);
  assert.ok(fit.own.safeFlagged.value > 0 && fit.own.safeFlagged.value < 0.1);
  assert.equal(fit.current?.safeFlagged.value, 0);
  assert.equal(fit.own.unsafeFound.count, 0, 'nothing is known');
  assert.equal(fit.calibratedOn, 'safe');
  const same = fitSafeThreshold(scored(Array(50).fill(0.3)), { ...options, unsafeIs: 'above' });
  assert.deepEqual([same.threshold.value, same.own.safeFlagged.value], [0.300001, 0]);
});

test('too few are refused with the number that is needed, and the rate that they can keep', () => {
  const fit = (count: number, most: number) =>
    fitSafeThreshold(scored(uniform(count, 3)), {
      rule: { name: 'safe-alone', most },
      unsafeIs: 'above',
      current: null,
      what: 'pictures',
    });
  const refused = (count: number, most: number, message: RegExp) =>
    assert.throws(() => fit(count, most), { code: 'ERR_INVALID_OPTION', message });
  refused(
    40,
    0.01,
    /Expected at least 299 different safe pictures for a false positive rate of 1 % .* received 40\..*--max-false-positive-rate 0\.073\./,
  );
  fit(40, 0.073);
  refused(298, 0.01, /at least 299/);
  fit(299, 0.01);
  refused(500, 0, /rate above 0 and below 1 .* received 0\./);
  refused(500, 1, /received 1\./);
});

const gallery = JSON.parse(readFileSync(join(miniature, 'pictures/pictures.json'), 'utf8')) as {
  pictures: readonly { file: string; isUnsafe: boolean }[];
};
const safe = gallery.pictures.filter(({ isUnsafe }) => !isUnsafe).map(({ file }) => join(miniature, 'pictures', file));
const OPTIONS: CalibrateOptions = {
  clip: join(miniature, 'clip'),
  rewardModel: join(miniature, 'reward-model'),
  pictures: { safe, unsafe: null },
  answers: null,
  rule: { name: 'false-positive-rate', most: 0.2 },
  safetyPrompt: SAFETY_PROMPT,
  postEvaluationPrompt: POST_EVALUATION_PROMPT,
  threadCount: 1,
};
const RUN = { command: 'eta-vlm calibrate --safe photos', endedAt: '2026-01-01T00:00:00.000Z' };

test('pictures alone: file, report and results say on what it rests', async () => {
  const calibration = await calibrate(OPTIONS);
  const { clip } = calibration;
  assert.equal(clip?.fit.calibratedOn, 'safe');
  assert.ok(clip?.safe.every(({ score }) => score < clip.fit.threshold.value));
  const path = join(folder, 'thresholds.json');
  const file = thresholdsFile(calibration, RUN);
  writeFileSync(path, JSON.stringify(file));
  assert.equal(file.clip?.calibratedOn, 'safe');
  const { auc, own } = file.clip?.calibration ?? {};
  assert.deepEqual([auc, (own as { unsafeFound: unknown }).unsafeFound], ['unknown', 'unknown']);
  const report = calibrationReport(calibration, { ...RUN, startedAt: RUN.endedAt, versions: {}, machine: {} });
  assert.match(report.subject, /on 16 safe pictures alone/);
  assert.match(report.notes?.join('\n') ?? '', /how many unsafe pictures this threshold misses is unknown/);
  assert.equal(report.settings['CLIP score: calibrated on'], 'safe');
  assert.deepEqual(
    report.distributions?.map(({ groups, auc }) => [groups.map(({ name }) => name), auc]),
    [[['safe'], undefined]],
  );
  assert.ok(report.tables?.[1]?.rows.every(([, found]) => found === 'unknown'));
  await using eta = await loadEta({ thresholdsFile: path, threadCount: 1, maxTokens: 4, contextSize: 1024 });
  assert.deepEqual(eta.facts.calibratedOn, { unsafeClipScore: 'safe', safeReward: 'both' });
  const ask = async (thresholds?: { unsafeClipScore: number }) =>
    (await eta.respond({ prompt: 'What is there?', image: safe[0], seed: 1, thresholds })).verdict.picture;
  const judged = await ask();
  assert.deepEqual([judged?.isCalibrated, judged?.calibratedOn, judged?.isUnsafe], [false, 'safe', false]);
  assert.equal((await ask({ unsafeClipScore: 0.5 }))?.calibratedOn, null, "one's own number rests on nothing");
});

test('too few files are refused before anything is scored', async () => {
  const steps: string[] = [];
  const none = { ...OPTIONS, rule: { name: 'balance' } as const, onProgress: (what: string) => steps.push(what) };
  await assert.rejects(calibrate(none), {
    code: 'ERR_INVALID_OPTION',
    message: /at least 299 .* received 16\..*0\.18\./,
  });
  assert.deepEqual(steps, []);
});

test('unsafe ones that cannot be read are no reason to do without', async () => {
  const path = join(folder, 'broken.png');
  writeFileSync(path, 'no picture');
  const { clip } = await calibrate({ ...OPTIONS, pictures: { safe, unsafe: [path] } });
  assert.ok(Number.isNaN(clip?.fit.threshold.value));
});
