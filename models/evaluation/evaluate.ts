/**
 * Measures the miniature: the table of its points, on the package's own engine.
 *
 *     npm run miniature:evaluate -- --sample                       the shipped gallery; needs no Python
 *     npm run miniature:evaluate -- --items FOLDER --write         the test split; writes evaluation.json, drawings, card
 *
 * FOLDER comes from `python -m evaluate.items --out FOLDER` in models/recipe. Answers are kept in FOLDER/answers.jsonl: a
 * run that was stopped, or ended by --minutes, goes on from there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BatchProgress, type BatchSettings, ResultsFile, roomFor, settingsOf } from '../../src/batch/index.js';
import {
  answerInstances,
  answersOf,
  DatasetFolder,
  type Instance,
  judgeAnswers,
  limited,
  MINIATURE_ROOT,
  type MiniatureItem,
  MiniatureJudge,
  type MiniatureSet,
  miniature,
  readMiniature,
} from '../../src/benchmark/index.js';
import { AbortError, type Eta, EtaError, loadEta, type Method, UsageError } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { RewardModel } from '../../src/reward/index.js';
import { fillMarkers } from './card.js';
import { groupTables } from './group-table.js';
import { pageFigures } from './page.js';
import { evaluationPlan, METHODS, type Plan, SETTINGS } from './plan.js';
import { clipScoresSvg, figures, provenance, type Report, report, rewardsSvg } from './report.js';
import { type EvaluatorScores, evaluatorScores, hardScores } from './scores.js';
import { markdownTable, summary } from './table.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** How the shipped sample is asked. */
export const SAMPLE_PLAN: Plan = { seeds: [1], methods: METHODS, alignLimit: 20, aloneCount: 5 };

export interface EvaluateOptions {
  readonly set: MiniatureSet;
  readonly plan: Plan;
  readonly models?: string;
  readonly atOnce?: number;
  readonly minutes?: number;
  /** Where answers and judgements are kept between runs; without it nothing is kept. */
  readonly folder?: string;
  onProgress?(done: number, wanted: number): void;
}

export interface Evaluation {
  readonly report: Report;
  readonly provenance: object;
  /** Answers wanted and not made. */
  readonly missing: number;
}

/** @param folder of items.json; without one, what ships with the package */
export async function readSet(folder = MINIATURE_ROOT): Promise<MiniatureSet> {
  return await readMiniature(new DatasetFolder(folder, miniature));
}

export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  if (options.folder !== undefined) return await evaluateIn(options.folder, options);
  const folder = await mkdtemp(join(tmpdir(), 'eta-miniature-'));
  try {
    return await evaluateIn(folder, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function evaluateIn(folder: string, options: EvaluateOptions): Promise<Evaluation> {
  const { set, models = 'miniature', atOnce = 8, minutes } = options;
  const until = Date.now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const scores = await scored(models, set, until);
  await using eta = await loadEta({ models, ...SETTINGS, ...roomFor(atOnce, SETTINGS) });
  const instances = evaluationPlan(set.items, options.plan);
  const path = join(folder, 'answers.jsonl');
  await answered({
    eta,
    instances,
    path,
    atOnce,
    onProgress: options.onProgress,
    until: minutes === undefined ? null : until,
  });
  const answers = await answersOf(path, instances);
  const judges = { judge: new MiniatureJudge(), judgesEverything: true, comparer: null };
  const score = rewardScorer(eta.facts.models.rewardModel ?? '');
  return {
    report: await report({ answers: await judgeAnswers(answers, judges, { folder }), set, scores, score }),
    provenance: provenance(eta),
    missing: instances.length - answers.length,
  };
}

interface AnsweredOptions {
  readonly eta: Eta;
  readonly instances: readonly Instance<MiniatureItem>[];
  readonly path: string;
  readonly atOnce: number;
  /** As Date.now(); null: until all is answered. */
  readonly until: number | null;
  readonly onProgress: EvaluateOptions['onProgress'];
}

/** Those timed alone first, one by one; then the others, several at once. */
async function answered({ eta, instances, path, atOnce, until, onProgress }: AnsweredOptions): Promise<void> {
  const settings = await settingsOf(eta.facts, { seed: 0, keepsTrace: true });
  await using results = await openResults(path, settings);
  const signal = until === null ? undefined : AbortSignal.timeout(Math.max(1, until - Date.now()));
  const alone = instances.filter(({ run }) => run === 'alone');
  const others = instances.filter(({ run }) => run !== 'alone');
  const progress = (before: number) => (at: BatchProgress) => onProgress?.(before + at.doneCount, instances.length);
  try {
    await answerInstances({ eta, instances: alone, results, concurrency: 1, signal, onProgress: progress(0) });
    await answerInstances({
      eta,
      instances: others,
      results,
      concurrency: atOnce,
      signal,
      onProgress: progress(alone.length),
    });
  } catch (error) {
    if (!(error instanceof AbortError) || signal?.aborted !== true) throw error; // the minutes are over
  }
}

/** Answers of other model files, or of another form, are begun anew. */
async function openResults(path: string, settings: BatchSettings): Promise<ResultsFile> {
  try {
    return await ResultsFile.open({ path, settings, resume: true, retryErrors: true });
  } catch (error) {
    if (!(error instanceof UsageError) || error.code !== 'ERR_RESULTS_DIFFER') throw error;
    console.error(`${error.message} Begun anew.`);
    return await ResultsFile.open({ path, settings, overwrite: true });
  }
}

/** The evaluators' own figures take a fifth of the time at most. */
async function scored(models: string, set: MiniatureSet, until: number): Promise<EvaluatorScores> {
  const { resolveModels } = await import('../../src/models/index.js');
  return await evaluatorScores(await resolveModels(models), set, Date.now() + (until - Date.now()) / 5);
}

function rewardScorer(folder: string): (sentences: Parameters<typeof hardScores>[1]) => ReturnType<typeof hardScores> {
  return async (sentences) => {
    const worker = await EvaluatorWorker.start();
    try {
      return await hardScores(await RewardModel.load({ worker, folder }), sentences);
    } finally {
      await worker.dispose();
    }
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sample: { type: 'boolean', default: false },
      items: { type: 'string' },
      models: { type: 'string', default: 'miniature' },
      limit: { type: 'string', default: '1000' },
      'align-limit': { type: 'string', default: '250' },
      seeds: { type: 'string', default: '1,2,3' },
      methods: { type: 'string', default: METHODS.join(',') },
      'at-once': { type: 'string', default: '8' },
      minutes: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  if (values.sample === (values.items !== undefined))
    throw new UsageError('ERR_INVALID_OPTION', 'Expected --sample or --items FOLDER, received both or neither.');
  const folder = resolve(values.items ?? '.');
  const set = await readSet(values.sample ? undefined : folder);
  const sample = await readSet();
  const atOnce = number(values['at-once'], 'at-once');
  const options: EvaluateOptions = values.sample
    ? { set, plan: SAMPLE_PLAN, models: values.models, atOnce }
    : {
        set: { ...set, items: limited(set.items, number(values.limit, 'limit')) },
        plan: {
          seeds: values.seeds.split(',').map((seed) => number(seed, 'seeds')),
          methods: methodsOf(values.methods),
          alignLimit: number(values['align-limit'], 'align-limit'),
          aloneCount: 15,
        },
        models: values.models,
        atOnce,
        folder,
        ...(values.minutes === undefined ? {} : { minutes: number(values.minutes, 'minutes') }),
      };
  const found = await evaluate({ ...options, onProgress });
  const { rows, groups, medianMs } = found.report;
  console.log(`\n${markdownTable(rows)}\n\n${groupTables(groups)}\n\n${summary(rows)}\n`);
  console.log(
    `One answer through ETA: ${(medianMs / 1000).toFixed(2)} s (median, ${availableParallelism()} processors).`,
  );
  if (found.missing > 0) console.log(`${found.missing} answers are missing: run it again to go on.`);
  if (values.write) {
    const again = values.sample
      ? found
      : await evaluate({ set: sample, plan: SAMPLE_PLAN, models: values.models, atOnce });
    await write(found, again, options.set, sample);
  }
}

/** evaluation.json, the drawings, and the table in card and document. */
async function write(found: Evaluation, sample: Evaluation, set: MiniatureSet, sampleSet: MiniatureSet): Promise<void> {
  const command = 'npm run miniature:evaluate -- --items FOLDER --write';
  const { rows, medianMs } = found.report;
  const document = {
    command,
    processors: availableParallelism(),
    ...found.provenance,
    ...figures(found.report, set.items),
    sample: { command: 'npm run miniature:evaluate -- --sample', ...figures(sample.report, sampleSet.items) },
  };
  writeFileSync(`${root}models/miniature/evaluation.json`, `${JSON.stringify(document, null, 1)}\n`);
  mkdirSync(`${root}docs/images`, { recursive: true });
  writeFileSync(`${root}docs/images/miniature-clip-scores.svg`, await clipScoresSvg(found.report));
  writeFileSync(`${root}docs/images/miniature-rewards.svg`, await rewardsSvg(found.report));
  const { candidateCount, temperature, topK } = SETTINGS;
  const how = `\`${command}\`, ${set.items.length} items of the test split, N = ${candidateCount}, T = ${temperature}, top-k ${topK}.`;
  const time = `One answer through ETA took ${(medianMs / 1000).toFixed(2)} s (median of those asked alone, ${availableParallelism()} processors).`;
  const onCard = rows.filter(({ point, target }) => target !== null || point === 9);
  fillMarkers(
    `${root}models/miniature/README.md`,
    'evaluation',
    [how, markdownTable(onCard), summary(rows), time].join('\n\n'),
  );
  fillMarkers(`${root}docs/miniature.md`, 'evaluation', [how, pageFigures(rows), time].join('\n\n'));
  console.log('Wrote models/miniature/evaluation.json, its card, docs/miniature.md and two drawings in docs/images.');
}

function methodsOf(text: string): Method[] {
  return text.split(',').map((name) => {
    const method = METHODS.find((known) => known === name);
    if (method !== undefined) return method;
    throw new UsageError('ERR_INVALID_OPTION', `--methods: expected ${METHODS.join(', ')}, received '${name}'.`);
  });
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0) return value;
  throw new UsageError('ERR_INVALID_OPTION', `--${name}: expected a number above 0, received '${text}'.`);
}

let shownAt = 0;
function onProgress(done: number, wanted: number): void {
  if (Date.now() - shownAt < 10_000) return;
  shownAt = Date.now();
  console.error(`${done} of ${wanted} answers`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error: unknown) => {
    if (!(error instanceof EtaError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 2;
  });
}
