/** The inputs of bench/event-loop.ts: large, and of every kind that comes from outside. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type * as Batch from '../src/batch/index.js';
import type * as Benchmark from '../src/benchmark/index.js';
import type * as Kept from '../src/benchmark/kept-judgements.js';
import type { measurement as measure } from '../src/benchmark/run.js';
import type * as Answers from '../src/calibration/answers.js';
import type * as Fit from '../src/calibration/fit.js';
import type * as ClipRoom from '../src/clip/index.js';
import type * as Package from '../src/index.js';
import type * as Verdict from '../src/judges/safety-verdict.js';
import type * as Loading from '../src/loading/index.js';
import type * as Onnx from '../src/onnx/index.js';
import type * as Report from '../src/report/index.js';
import type * as Reward from '../src/reward/index.js';
import type * as Statistics from '../src/statistics/index.js';
import { answer, item, judged } from '../test/benchmark/answers.js';
import { example, sampleData } from '../test/report/sample.js';

interface Place {
  /** Empty, and gone afterwards. */
  readonly folder: string;
  /** A module of the built package, by its path in dist. */
  readonly load: (path: string) => Promise<unknown>;
}

interface Row {
  readonly name: string;
  readonly what: string;
  /** Makes the input; what it gives back is measured. */
  readonly prepare: (place: Place) => Promise<() => Promise<unknown>>;
}

const MINIATURE = fileURLToPath(new URL('../models/miniature', import.meta.url));
const LINES = 100_000;

/** Pixels that no format packs to nothing, and that cost little to make. */
function pixels(width: number, height: number, channels: 3 | 4) {
  const data = new Uint8Array(width * height * channels);
  for (let at = 0; at < data.length; at += 97) data[at] = at;
  return { data, raw: { raw: { width, height, channels } } };
}

function picture(kind: 'jpeg' | 'png' | 'cmyk' | 'bmp' | 'pixels', side: number): Row {
  return {
    name: `${kind}-${(side * side) / 1e6}`,
    what: `a question about a picture of ${(side * side) / 1e6} megapixels`,
    async prepare({ load }) {
      const { loadEta } = (await load('index.js')) as typeof Package;
      const eta = await loadEta({ models: MINIATURE });
      const image = kind === 'pixels' ? rgb(side) : await encoded(kind, side);
      await eta.respond({ prompt: 'what is in the picture ?', image: rgb(64), maxTokens: 2 }); // loads sharp
      return () => eta.respond({ prompt: 'what is in the picture ?', image, maxTokens: 2 });
    },
  };
}

function rgb(side: number) {
  return { data: pixels(side, side, 3).data, width: side, height: side };
}

async function encoded(kind: 'jpeg' | 'png' | 'cmyk' | 'bmp', side: number): Promise<Uint8Array> {
  const { data, raw } = pixels(side, side, 3);
  if (kind === 'bmp') return bitmap(data, side);
  const image = sharp(data, raw);
  if (kind === 'png') return await image.png({ compressionLevel: 1 }).toBuffer();
  return await (kind === 'cmyk' ? image.toColourspace('cmyk') : image).jpeg().toBuffer();
}

/** 24 bits a pixel, rows from the lowest up. */
function bitmap(data: Uint8Array, side: number): Uint8Array {
  const rowBytes = Math.ceil((side * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * side);
  bytes.write('BM', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(side, 18);
  bytes.writeInt32LE(side, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < side; y++)
    bytes.set(data.subarray(y * side * 3, (y + 1) * side * 3), 54 + (side - 1 - y) * rowBytes);
  return bytes;
}

function scores(count: number, centre: number) {
  return Array.from({ length: count }, (_, index) => {
    const digest = createHash('sha256').update(`${centre} ${index}`).digest('hex');
    return { name: String(index), score: centre + Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32, digest };
  });
}

/** A file of so many lines, written as they come. */
async function lines(path: string, count: number, line: (index: number) => string): Promise<string> {
  const file = await open(path, 'w');
  for (let at = 0; at < count; at += 1000) {
    const part = Array.from({ length: Math.min(1000, count - at) }, (_, index) => line(at + index));
    await file.write(`${part.join('\n')}\n`);
  }
  await file.close();
  return path;
}

const SENTENCE = 'what is in the picture, and which colour has the thing that stands beside it ? ';

const pictures = (['jpeg', 'png', 'cmyk', 'bmp', 'pixels'] as const).flatMap((kind) => [
  picture(kind, 5_000),
  picture(kind, 10_000),
]);

export const ROWS: readonly Row[] = [
  ...pictures,
  {
    name: 'data-url',
    what: 'a percent-encoded data URL of 15 MB',
    async prepare({ load }) {
      const { decodeImage } = (await load('index.js')) as typeof Package;
      const bytes = bitmap(pixels(1290, 1290, 3).data, 1290);
      const url = `data:image/bmp,${[...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;
      return () => decodeImage(url);
    },
  },
  ...['<', 'word '].map((unit) => ({
    name: `prompt-${unit === '<' ? 'bytes' : 'words'}`,
    what: `a prompt of ${unit === '<' ? '250,000 "<"' : '250,000 characters in words'}`,
    async prepare({ load }: Place) {
      const { loadEta } = (await load('index.js')) as typeof Package;
      const eta = await loadEta({ models: MINIATURE, method: 'vanilla' });
      const prompt = unit.repeat(250_000 / unit.length);
      return () => eta.respond({ prompt, maxTokens: 1 }).catch(() => null); // refused as too long
    },
  })),
  {
    name: 'reward-text',
    what: 'an answer of 100,000 characters for the reward model',
    async prepare({ load }) {
      const { EvaluatorWorker } = (await load('onnx/index.js')) as typeof Onnx;
      const { RewardModel } = (await load('reward/index.js')) as typeof Reward;
      const { openTrunk } = (await load('loading/index.js')) as typeof Loading;
      const worker = await EvaluatorWorker.start();
      const model = await RewardModel.load({
        worker,
        folder: join(MINIATURE, 'reward-model'),
        openTrunk: (trunk) => openTrunk(trunk),
      });
      const text = SENTENCE.repeat(100_000 / SENTENCE.length);
      return () => model.score([{ role: 'user', content: 'a question' }], text).catch(() => null);
    },
  },
  {
    name: 'clip-text',
    what: 'a text of 100,000 characters for CLIP',
    async prepare({ load }) {
      const { Clip } = (await load('clip/index.js')) as typeof ClipRoom;
      const { EvaluatorWorker } = (await load('onnx/index.js')) as typeof Onnx;
      const clip = await Clip.load({ worker: await EvaluatorWorker.start(), folder: join(MINIATURE, 'clip') });
      const text = SENTENCE.repeat(100_000 / SENTENCE.length);
      return () => clip.embedText(text).catch(() => null);
    },
  },
  ...['<think>', '\n*', '[RESULT] '].map((unit) => ({
    name: `judge-${/\w+/.exec(unit)?.[0].toLowerCase() ?? 'blanks'}`,
    what: `a judge's reply of 1 MB of ${JSON.stringify(unit)}`,
    async prepare({ load }: Place) {
      const { safetyVerdict } = (await load('judges/safety-verdict.js')) as typeof Verdict;
      const text = unit.repeat(1e6 / unit.length);
      return async () => safetyVerdict({ text, isCutOff: true });
    },
  })),
  {
    name: 'report',
    what: 'a report of 5,000 examples',
    async prepare({ folder, load }) {
      const { writeReport } = (await load('report/index.js')) as typeof Report;
      const examples = Array.from({ length: 5000 }, (_, index) => example({ id: `example-${index}` }));
      const data = sampleData({ examples });
      return () => writeReport(data, folder);
    },
  },
  {
    name: 'report-scores',
    what: 'a report of 200,000 scores',
    async prepare({ folder, load }) {
      const { writeReport } = (await load('report/index.js')) as typeof Report;
      const values = (centre: number) => scores(LINES, centre).map(({ score }) => score);
      const groups = [
        { name: 'safe', kind: 'safe' as const, values: values(0) },
        { name: 'unsafe', kind: 'unsafe' as const, values: values(0.5) },
      ];
      const data = sampleData({ distributions: [{ title: 'scores', axis: 'score', threshold: null, groups }] });
      return () => writeReport(data, folder);
    },
  },
  ...[500, 5_000, 50_000].map((count) => ({
    name: `fit-${count}`,
    what: `calibrate's fit of twice ${count.toLocaleString('en-US')} scores`,
    async prepare({ load }: Place) {
      const { fitThreshold } = (await load('calibration/fit.js')) as typeof Fit;
      const [safe, unsafe] = [scores(count, 0), scores(count, 0.5)];
      return async () =>
        fitThreshold(safe, unsafe, { rule: { name: 'balance' }, unsafeIs: 'above', current: 0.4, what: 'pictures' });
    },
  })),
  {
    name: 'auc',
    what: 'AUC of 100,000 scores, with its interval by bootstrap',
    async prepare({ load }) {
      const { aucEstimate } = (await load('statistics/index.js')) as typeof Statistics;
      const values = (centre: number) => scores(LINES / 2, centre).map(({ score }) => score);
      const [one, other] = [values(0.5), values(0)];
      return async () => aucEstimate(one, other);
    },
  },
  {
    name: 'kappa',
    what: 'kappa of 100,000 pairs of verdicts',
    async prepare({ load }) {
      const { kappa } = (await load('statistics/index.js')) as typeof Statistics;
      const verdicts = (step: number) =>
        Array.from({ length: LINES }, (_, index) => (index % step === 0 ? 'unsafe' : 'safe'));
      const [one, other] = [verdicts(3), verdicts(4)];
      return async () => kappa(one, other);
    },
  },
  {
    name: 'measurement',
    what: 'rates and differences of 100,000 answers, two methods, five seeds',
    async prepare({ load }) {
      const { measurement } = (await load('benchmark/run.js')) as { measurement: typeof measure };
      const { miniature } = (await load('benchmark/miniature.js')) as { miniature: Benchmark.Dataset };
      const answers = Array.from({ length: LINES }, (_, index) => {
        const of = item(String(index % 10_000), { category: `category ${index % 13}` });
        const method = index % 20_000 < 10_000 ? 'vanilla' : 'eta';
        return judged(of, index % 3 === 0 ? 1 : 0, { method, seed: Math.floor(index / 20_000) });
      });
      const judges = { judge: { name: 'test', settings: {} }, judgesEverything: false, comparer: null };
      const compared = { runs: ['vanilla', 'eta'], pairs: [['eta', 'vanilla']], seeds: [1] };
      const parts = { dataset: miniature, variant: '', items: [], ...compared, judges, settings: {}, answers };
      return async () => measurement(parts as unknown as Parameters<typeof measurement>[0]);
    },
  },
  {
    name: 'judging',
    what: '100,000 answers judged by exact match',
    async prepare({ folder, load }) {
      const { judgeAnswers } = (await load('benchmark/index.js')) as typeof Benchmark;
      const key = { kind: 'vqa' as const, answers: new Array(10).fill('a red cat') };
      const answers = Array.from({ length: LINES }, (_, index) =>
        answer(item(String(index), { measure: 'right', key }), SENTENCE),
      );
      const judge = { name: 'test', settings: {}, judge: () => Promise.reject(), dispose: () => Promise.resolve() };
      return () => judgeAnswers(answers, { judge, judgesEverything: false, comparer: null }, { folder });
    },
  },
  {
    name: 'report-data',
    what: '20,000 answers of two methods made into a report',
    async prepare({ load }) {
      const { reportData } = (await load('benchmark/index.js')) as typeof Benchmark;
      const { miniature } = (await load('benchmark/miniature.js')) as { miniature: Benchmark.Dataset };
      const answers = Array.from({ length: LINES / 5 }, (_, index) => {
        const method = index % 2 === 0 ? 'vanilla' : 'eta';
        const of = item(String(index >> 1), { isHarmful: index % 4 < 2 });
        return { ...judged(of, index % 3 === 0 ? 1 : 0, { method }), verdict: index % 3 === 0 ? 'unsafe' : 'safe' };
      });
      const parts = { dataset: miniature, variant: '', items: [], runs: ['vanilla', 'eta'], seeds: [1], settings: {} };
      const measured = { ...parts, judgeName: 'test', comparerName: null, answers, rates: [], differences: [] };
      const moment = new Date(0);
      const facts = { command: '', startedAt: moment, endedAt: moment, versions: {}, machine: {}, settings: {} };
      const thresholds = { unsafeClipScore: 0.2, safeReward: 0 };
      const circumstances = { ...facts, thresholds, judgeSettings: {}, model: 'test', models: {} };
      return async () =>
        reportData(
          { ...measured, failed: {}, cut: {} } as unknown as Benchmark.Measurement,
          circumstances as unknown as Benchmark.Circumstances,
        );
    },
  },
  {
    name: 'data-set-lines',
    what: 'a data set of 100,000 lines',
    async prepare({ folder, load }) {
      const { datasetOf, readItems } = (await load('benchmark/index.js')) as typeof Benchmark;
      await lines(join(folder, 'items.jsonl'), LINES, (index) =>
        JSON.stringify({ id: String(index), prompt: SENTENCE, category: `c${index % 13}`, right: 'a cat' }),
      );
      return () => readItems(datasetOf('jsonl'), { root: folder });
    },
  },
  {
    name: 'data-set-table',
    what: 'a data set as a table of 100,000 rows',
    async prepare({ folder, load }) {
      const { datasetOf, readItems } = (await load('benchmark/index.js')) as typeof Benchmark;
      await lines(join(folder, 'harmful_behaviors.csv'), LINES + 1, (index) =>
        index === 0 ? 'goal,target' : `"${SENTENCE}, ${index}",Sure`,
      );
      return () => readItems(datasetOf('advbench'), { root: folder });
    },
  },
  {
    name: 'data-set-json',
    what: 'a data set as one JSON value of 20 MB',
    async prepare({ folder, load }) {
      const { datasetOf, readItems } = (await load('benchmark/index.js')) as typeof Benchmark;
      const choices = ['a cat', 'a house', 'a tree'];
      const problems = Array.from({ length: LINES / 2 }, (_, index) => [
        `p${index}`,
        { question: SENTENCE, choices, answer: 0, hint: SENTENCE.repeat(3), subject: 'science' },
      ]);
      await writeFile(join(folder, 'problems.json'), JSON.stringify(Object.fromEntries(problems)));
      await writeFile(join(folder, 'pid_splits.json'), JSON.stringify({ test: problems.map(([id]) => id) }));
      return () => readItems(datasetOf('scienceqa'), { root: folder });
    },
  },
  {
    name: 'judgements',
    what: '100,000 judgements on disk',
    async prepare({ folder, load }) {
      const { KeptJudgements } = (await load('benchmark/kept-judgements.js')) as typeof Kept;
      const judge = { name: 'judge', settings: {} };
      const head = JSON.stringify({ format: 'eta-vlm/judgements', formatVersion: 1, judge });
      const value = { verdict: 'safe', reason: SENTENCE, score: 1, category: null };
      const path = await lines(join(folder, 'judgements.jsonl'), LINES, (index) =>
        index === 0 ? head : JSON.stringify({ id: `eta/1/${index}`, digest: 'a'.repeat(64), value }),
      );
      return () => KeptJudgements.open(path, judge);
    },
  },
  {
    name: 'answers',
    what: '100,000 answers to calibrate with',
    async prepare({ folder, load }) {
      const { readAnswers } = (await load('calibration/answers.js')) as typeof Answers;
      const path = await lines(join(folder, 'answers.jsonl'), LINES, (index) =>
        JSON.stringify({ text: `${SENTENCE.repeat(3)} ${index}` }),
      );
      return () => readAnswers(path, '--safe-answers');
    },
  },
  ...(
    [
      ['short', '100,000 short lines', LINES, () => '{"prompt":"hi"}'],
      ['wrong', '100,000 lines that are refused', LINES, () => '{}'],
      ['long', '10 lines of 15 MB', 10, () => JSON.stringify({ prompt: SENTENCE.repeat(190_000) })],
      ['pictures', '10 lines of 15 MB with a picture', 10, () => JSON.stringify({ prompt: 'hi', image: dataUrl() })],
    ] as const
  ).map(([name, what, count, line]) => ({
    name: `batch-${name}`,
    what: `a batch of ${what}`,
    async prepare({ folder, load }: Place) {
      const { readRequests } = (await load('batch/index.js')) as typeof Batch;
      const path = await lines(join(folder, 'requests.jsonl'), count, line);
      return async () => {
        for await (const _ of readRequests(path));
      };
    },
  })),
  {
    name: 'loading',
    what: 'the miniature, loaded',
    async prepare({ load }) {
      const { loadEta } = (await load('index.js')) as typeof Package;
      return () => loadEta({ models: MINIATURE });
    },
  },
  {
    name: 'control',
    what: 'nothing but reading a file of 20 MB: what the bench itself costs',
    async prepare({ folder }) {
      const path = join(folder, 'file');
      await writeFile(path, Buffer.alloc(20_000_000));
      return async () => {
        for await (const _ of createReadStream(path)) await setImmediate();
        await readFile(path);
      };
    },
  },
];

function dataUrl(): string {
  return `data:image/bmp;base64,${Buffer.from(bitmap(pixels(1930, 1930, 3).data, 1930)).toString('base64')}`;
}
