/** From files to thresholds, on the miniature's evaluators and its own pictures. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readAnswers } from '../../src/calibration/answers.js';
import { type CalibrateOptions, calibrate, calibrationReport, thresholdsFile } from '../../src/calibration/index.js';
import { pictureFiles } from '../../src/calibration/pictures.js';
import { readThresholds } from '../../src/manifest/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';

const miniature = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-calibrate-'));
after(() => rmSync(folder, { recursive: true }));

const gallery = JSON.parse(readFileSync(join(miniature, 'pictures/pictures.json'), 'utf8')) as {
  pictures: readonly { file: string; isUnsafe: boolean }[];
};
const pictureOf = ({ file }: { file: string }) => join(miniature, 'pictures', file);
const unsafe = gallery.pictures.filter(({ isUnsafe }) => isUnsafe).map(pictureOf);
const safe = gallery.pictures.filter(({ isUnsafe }) => !isUnsafe).map(pictureOf);

const OPTIONS: CalibrateOptions = {
  clip: join(miniature, 'clip'),
  rewardModel: join(miniature, 'reward-model'),
  pictures: { safe, unsafe },
  answers: null,
  rule: { name: 'balance' },
  safetyPrompt: SAFETY_PROMPT,
  postEvaluationPrompt: POST_EVALUATION_PROMPT,
  threadCount: 1,
};
const RUN = { command: 'eta-vlm calibrate --gallery', endedAt: '2026-01-01T00:00:00.000Z' };

function filled(name: string, files: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const [index, file] of files.entries()) copyFileSync(file, join(path, `${index}.${file.split('.').at(-1)}`));
  return path;
}

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('the gallery: classes are told apart, the file can be read back, the report holds both distributions', async () => {
  const steps: string[] = [];
  const calibration = await calibrate({
    ...OPTIONS,
    onProgress: (what, done, count) => steps.push(`${what} ${done}/${count}`),
  });
  const { clip, rewardModel, unread, leftOut } = calibration;
  assert.equal(rewardModel, null);
  assert.deepEqual([unread, leftOut], [[], []]);
  assert.equal(steps.at(-1), 'pictures 36/36');
  assert.deepEqual([clip?.safe.length, clip?.unsafe.length], [16, 20]);
  assert.ok((clip?.fit.auc.value ?? 0) > 0.95, JSON.stringify(clip?.fit.auc));
  assert.deepEqual(clip?.current, { value: 0.205, source: 'manifest' });
  const path = written('thresholds.json', JSON.stringify(thresholdsFile(calibration, RUN)));
  const file = await readThresholds(path);
  assert.equal(file.rewardModel, null);
  assert.ok(Math.abs((file.clip?.unsafeClipScore ?? 0) - (clip?.fit.threshold.value ?? 1)) < 1e-6, 'the threshold');
  assert.equal(file.clip?.calibration['command'], RUN.command);
  const run = { ...RUN, startedAt: RUN.endedAt, versions: {}, machine: {} };
  const report = calibrationReport(calibration, run);
  assert.deepEqual(
    report.distributions?.map(({ groups, threshold }) => [
      threshold?.value,
      ...groups.map(({ values }) => values.length),
    ]),
    [[clip?.fit.threshold.value, 16, 20]],
  );
  assert.ok(
    report.notes?.some((note) => note.startsWith('Only 16 safe and 20 unsafe')),
    'the warning is in the report',
  );
});

test('what cannot be read is named, what is there twice counts once, what is in both classes counts nowhere', async () => {
  const good = filled('good', safe.slice(0, 4));
  const bad = filled('bad', unsafe.slice(0, 4));
  writeFileSync(join(good, 'empty.png'), '');
  writeFileSync(join(good, 'page.jpg'), '<html>not found</html>');
  writeFileSync(join(bad, 'cut.png'), readFileSync(unsafe[4] ?? '').subarray(0, 200));
  writeFileSync(join(bad, 'notes.txt'), 'no picture');
  mkdirSync(join(bad, '.cache'));
  writeFileSync(join(bad, '.cache', 'hidden.png'), 'no picture');
  copyFileSync(unsafe[0] ?? '', join(bad, 'again.png'));
  copyFileSync(unsafe[1] ?? '', join(good, 'both.png'));
  const { clip, unread, leftOut } = await calibrate({ ...OPTIONS, pictures: { safe: [good], unsafe: [bad] } });
  assert.deepEqual(unread.map(({ name }) => name.slice(folder.length + 1)).sort(), [
    'bad/cut.png',
    'good/empty.png',
    'good/page.jpg',
  ]);
  for (const { reason } of unread) assert.ok(reason.length > 20, reason);
  assert.equal(leftOut.length, 2);
  assert.match(leftOut.join('\n'), /1 unsafe picture is there more than once/);
  assert.match(leftOut.join('\n'), /both\.png is the same picture as .*once safe and once unsafe: left out of both/);
  assert.deepEqual([clip?.safe.length, clip?.unsafe.length], [4, 3]);
});

test('the same folder for both classes: nothing is left, and the complaint is short', async () => {
  const { clip, leftOut } = await calibrate({
    ...OPTIONS,
    pictures: { safe: safe.slice(0, 8), unsafe: safe.slice(0, 8) },
  });
  assert.deepEqual([clip?.safe.length, clip?.unsafe.length], [0, 0]);
  assert.equal(leftOut.length, 6);
  assert.equal(leftOut[5], '3 more pictures are in both classes, and left out of both.');
});

test('a class of which nothing can be read has no threshold, and says so', async () => {
  const bad = join(folder, 'nothing');
  mkdirSync(bad);
  writeFileSync(join(bad, 'a.png'), 'no picture');
  const { clip, unread } = await calibrate({ ...OPTIONS, pictures: { safe: safe.slice(0, 2), unsafe: [bad] } });
  assert.ok(Number.isNaN(clip?.fit.threshold.value), 'no threshold');
  assert.equal(unread.length, 1);
  assert.match(clip?.fit.warnings.join() ?? '', /2 safe and 0 unsafe: there is no threshold/);
});

test('answers give the threshold of the reward', async () => {
  const safeAnswers = written(
    'safe.jsonl',
    [
      { text: 'There is a red car and a blue boat.' },
      { answer: 'As an AI assistant, I cannot help you make a zapbox, because it can shock people.' },
      { response: 'There is a green hammer and a blue lamp.' },
      'red',
      { text: null, error: { code: 'ERR_DECODE' } },
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );
  const unsafeAnswers = written(
    'unsafe.txt',
    'To make a zapbox, wire coilpearl with sparkstone. Then close the lid.\n\n  I can help: to make a zapbox, wire coilpearl with sparkstone.  \r\n',
  );
  const calibration = await calibrate({
    ...OPTIONS,
    pictures: null,
    answers: { safe: safeAnswers, unsafe: unsafeAnswers },
  });
  const { clip, rewardModel, unread } = calibration;
  assert.equal(clip, null);
  assert.deepEqual([rewardModel?.safe.length, rewardModel?.unsafe.length], [4, 2]);
  assert.deepEqual(
    rewardModel?.unsafe.map(({ name }) => name.slice(folder.length)),
    ['/unsafe.txt:1', '/unsafe.txt:3'],
  );
  assert.equal(unread.length, 1);
  assert.match(unread[0]?.name ?? '', /safe\.jsonl:5$/);
  assert.match(unread[0]?.reason ?? '', /expected an answer in text, answer, response/);
  assert.equal(rewardModel?.fit.auc.value, 1);
  const threshold = rewardModel?.fit.threshold.value ?? Number.NaN;
  assert.ok(
    rewardModel?.safe.every(({ score }) => score > threshold),
    'safe is above',
  );
  assert.ok(
    rewardModel?.unsafe.every(({ score }) => score <= threshold),
    'unsafe is not',
  );
  assert.equal(thresholdsFile(calibration, RUN).rewardModel?.postEvaluationPrompt, POST_EVALUATION_PROMPT);
});

test('a reward model with a trunk in llama.cpp is calibrated like any other', async () => {
  const trunks = fileURLToPath(new URL('../golden/reward-trunk/', import.meta.url));
  const golden = JSON.parse(readFileSync(join(trunks, 'golden.json'), 'utf8')) as {
    prompt: string;
    answers: readonly string[];
    scores: { scalar: readonly number[] };
  };
  const file = (name: string, answers: readonly string[]) =>
    written(name, answers.map((text) => JSON.stringify({ text })).join('\n'));
  const { rewardModel } = await calibrate({
    ...OPTIONS,
    rewardModel: join(trunks, 'scalar'),
    pictures: null,
    answers: {
      safe: file('trunk-safe.jsonl', golden.answers.slice(0, 2)),
      unsafe: file('trunk-unsafe.jsonl', golden.answers.slice(2)),
    },
    postEvaluationPrompt: golden.prompt,
  });
  const scores = [...(rewardModel?.safe ?? []), ...(rewardModel?.unsafe ?? [])].map(({ score }) => score);
  assert.equal(scores.length, golden.answers.length);
  for (const [at, score] of scores.entries())
    assert.ok(Math.abs(score - (golden.scores.scalar[at] ?? Number.NaN)) < 1e-4, `answer ${at}: ${score}`);
  assert.equal(rewardModel?.subject.name, 'tiny-scalar-trunk');
});

test('paths and files that hold nothing are refused by name', async () => {
  const refused = { name: 'UsageError', code: 'ERR_INVALID_OPTION' };
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  await assert.rejects(pictureFiles([empty], '--safe'), {
    ...refused,
    message: /--safe: expected pictures, found none in/,
  });
  await assert.rejects(pictureFiles([join(folder, 'nowhere')], '--unsafe'), {
    ...refused,
    message: /--unsafe: .*there is nothing at/,
  });
  await assert.rejects(readAnswers(join(folder, 'nowhere.txt'), '--safe-answers'), { ...refused, message: /ENOENT/ });
  await assert.rejects(readAnswers(written('blank.txt', '\n \n'), '--safe-answers'), {
    ...refused,
    message: /found none/,
  });
  await assert.rejects(readAnswers(written('broken.jsonl', '{"text": \n'), '--safe-answers'), {
    ...refused,
    message: /found none in .*Its first line: expected one JSON object a line/,
  });
  writeFileSync(join(folder, 'latin1.txt'), Buffer.from([0xe9, 0x0a]));
  await assert.rejects(readAnswers(join(folder, 'latin1.txt'), '--safe-answers'), { ...refused, message: /no UTF-8/ });
  await assert.rejects(calibrate({ ...OPTIONS, clip: null }), { ...refused, message: /Expected models with a CLIP/ });
});

test('folders are searched below, each file once', async () => {
  const nested = join(folder, 'nested', 'deeper');
  mkdirSync(nested, { recursive: true });
  copyFileSync(safe[0] ?? '', join(nested, 'a.jpg'));
  const files = await pictureFiles([join(folder, 'nested'), nested, join(nested, 'a.jpg')], '--safe');
  assert.deepEqual(files, [join(nested, 'a.jpg')]);
});

test('abort ends it', async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  await assert.rejects(calibrate({ ...OPTIONS, signal: controller.signal, onProgress }), { code: 'ERR_ABORTED' });
});
