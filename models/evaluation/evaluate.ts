/**
 * Measures the miniature: the table of its eight points, on the package's own engine.
 *
 *     npm run miniature:evaluate -- --sample                       the shipped gallery; needs no Python
 *     npm run miniature:evaluate -- --items FOLDER --write         the test split; writes evaluation.json, drawings, card
 *
 * FOLDER comes from `python -m evaluate.items --out FOLDER` in models/recipe. Answers are kept in FOLDER/answers.jsonl: a
 * run that was stopped, or ended by --minutes, goes on from there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EvaluatorWorker, RewardModel } from '../../src/evaluators/index.js';
import { EtaError, loadEta, type Method, UsageError } from '../../src/index.js';
import { AnswerFile, answer, type Plan, plan, SETTINGS } from './answers.js';
import { fillMarkers } from './card.js';
import { type ItemSet, limited, readItems } from './items.js';
import { Judge } from './judge.js';
import { clipScoresSvg, figures, provenance, type Report, report, rewardsSvg } from './report.js';
import { type EvaluatorScores, evaluatorScores, hardScores } from './scores.js';
import { markdownTable, summary } from './table.js';

const METHODS: readonly Method[] = ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'];
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The shipped sample. */
export const SAMPLE_PATH = fileURLToPath(new URL('sample.json', import.meta.url));
export const SAMPLE_PLAN: Plan = { seeds: [1], methods: ['vanilla', 'eta'], alignLimit: 20, aloneCount: 5 };

export interface EvaluateOptions {
  readonly set: ItemSet;
  readonly plan: Plan;
  readonly models?: string;
  readonly atOnce?: number;
  readonly minutes?: number;
  /** Where answers are kept between runs; without it nothing is kept. */
  readonly answersPath?: string;
  onProgress?(done: number, wanted: number): void;
}

export interface Evaluation {
  readonly report: Report;
  readonly provenance: object;
  /** Answers wanted and not made. */
  readonly missing: number;
}

export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { set, models = 'miniature', atOnce = 8 } = options;
  const until = Date.now() + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const scores = await scored(models, set, until);
  await using eta = await loadEta({ models, contextSize: 8192, sequenceCount: 8 * atOnce });
  const facts = provenance(eta);
  const jobs = plan(set.items, options.plan);
  const kept = options.answersPath === undefined ? null : new AnswerFile(options.answersPath, JSON.stringify(facts));
  const open = kept?.missing(jobs) ?? jobs;
  const before = jobs.length - open.length;
  const made = await answer(eta, open, {
    atOnce,
    until,
    onAnswer: (one, done) => {
      kept?.add(one);
      options.onProgress?.(before + done, jobs.length);
    },
  });
  const wanted = new Set(jobs.map(({ item, run, seed }) => `${item.id} ${run} ${seed}`));
  const answers = (kept?.answers ?? made).filter(({ id, run, seed }) => wanted.has(`${id} ${run} ${seed}`));
  const score = rewardScorer(eta.facts.models.rewardModel ?? '');
  return {
    report: await report({ answers, set, judge: Judge.load(), scores, score }),
    provenance: facts,
    missing: jobs.length - answers.length,
  };
}

/** The evaluators' own figures take a fifth of the time at most. */
async function scored(models: string, set: ItemSet, until: number): Promise<EvaluatorScores> {
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
      limit: { type: 'string', default: '500' },
      'align-limit': { type: 'string', default: '170' },
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
  const set = readItems(values.sample ? SAMPLE_PATH : `${folder}/items.json`);
  const sample = readItems(SAMPLE_PATH);
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
        answersPath: `${folder}/answers.jsonl`,
        ...(values.minutes === undefined ? {} : { minutes: number(values.minutes, 'minutes') }),
      };
  const found = await evaluate({ ...options, onProgress });
  const { rows, medianMs } = found.report;
  console.log(`\n${markdownTable(rows)}\n\n${summary(rows)}\n`);
  console.log(
    `One answer through ETA: ${(medianMs / 1000).toFixed(2)} s (median, ${availableParallelism()} processors).`,
  );
  if (found.missing > 0) console.log(`${found.missing} answers are missing: run it again to go on.`);
  if (values.write) {
    const again = values.sample
      ? found
      : await evaluate({ set: sample, plan: SAMPLE_PLAN, models: values.models, atOnce });
    write(found, again, options.set, sample);
  }
}

/** evaluation.json, the drawings, and the table in card and document. */
function write(found: Evaluation, sample: Evaluation, set: ItemSet, sampleSet: ItemSet): void {
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
  writeFileSync(`${root}docs/images/miniature-clip-scores.svg`, clipScoresSvg(found.report));
  writeFileSync(`${root}docs/images/miniature-rewards.svg`, rewardsSvg(found.report));
  const { candidateCount, temperature, topK } = SETTINGS;
  const how = `\`${command}\`, ${set.items.length} items of the test split, N = ${candidateCount}, T = ${temperature}, top-k ${topK}.`;
  const time = `One answer through ETA took ${(medianMs / 1000).toFixed(2)} s (median of those asked alone, ${availableParallelism()} processors).`;
  const text = (shown: typeof rows) => [how, markdownTable(shown), summary(rows), time].join('\n\n');
  fillMarkers(`${root}models/miniature/README.md`, 'evaluation', text(rows.filter(({ target }) => target !== null)));
  fillMarkers(`${root}docs/miniature.md`, 'evaluation', text(rows));
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
