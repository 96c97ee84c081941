/** What each experiment does, from loaded models to its table. */
import { basename, join } from 'node:path';
import { type BatchSettings, CONCURRENCY, roomFor, settingsOf } from '../../batch/index.js';
import { cutCounts, type Dataset, type Judges, type Measurement, type ReadItems } from '../../benchmark/index.js';
import { UsageError } from '../../errors.js';
import {
  type Arm,
  CANDIDATE_COUNTS,
  changedItems,
  measureArms,
  overheadCurves,
  overheadTable,
  overheadTimes,
  PICTURE_CHANGES,
  PRESETS,
  presetTable,
  presetTrials,
  ROBUSTNESS_ARMS,
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  robustnessTrials,
  searchNotes,
  type Timed,
  type Trial,
  timeArms,
} from '../../experiment/index.js';
import { type Eta, type LoadEtaOptions, loadEta } from '../../index.js';
import { describe, nearest } from '../../options.js';
import { knownThreshold } from '../../policy/thresholds.js';
import type { DataTable, ReportData } from '../../report/index.js';
import type { Progress } from '../../terminal/progress.js';
import type { Method } from '../../types.js';
import type { JudgeFlags } from '../judges.js';
import { loadingText } from '../loading-text.js';
import { given, loadOptions, type ModelFlags } from '../model-options.js';
import type { Notices } from '../notices.js';
import type { ExperimentName } from './command.js';

export interface ExperimentFlags extends ModelFlags, JudgeFlags {
  readonly benchmark?: string;
  readonly root?: string;
  readonly variant?: string;
  readonly out?: string;
  readonly seeds?: readonly number[];
  readonly limit?: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly counts?: readonly number[];
  readonly otherModel?: readonly string[];
  readonly change?: readonly string[];
  readonly queries?: number;
  readonly n?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly maxTokens?: number;
}

const SEEDS: readonly number[] = [1];
const QUERIES = 200;
const SEARCH_LIMITS: readonly number[] = [8, 16, 32];

/** What an experiment found, before it is a report. */
export interface Found {
  readonly measured: Measurement;
  readonly table: DataTable;
  readonly parts?: Partial<ReportData>;
  readonly notes?: readonly string[];
}

export interface Run {
  readonly name: ExperimentName;
  readonly flags: ExperimentFlags;
  readonly dataset: Dataset;
  readonly read: ReadItems;
  readonly judges: Judges;
  readonly out: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly notices: Notices;
}

/** Where changed pictures stand. */
export function picturesFolder(out: string): string {
  return join(out, 'pictures');
}

/** Answers, judges and counts what the experiment of this name asks. */
export async function carryOut(run: Run, eta: Eta): Promise<Found> {
  if (run.name === 'overhead') return await overhead(run, eta);
  if (run.name === 'robustness') return await robustness(run, eta);
  const preset = PRESETS[run.name];
  const measured = await answered(run, eta, preset.arms, presetTrials(run.read.items, preset));
  return { measured, table: presetTable(measured, preset) };
}

async function robustness(run: Run, eta: Eta): Promise<Found> {
  const { flags, read, out, signal, progress } = run;
  const chosen = changesOf(flags);
  const pictured = read.items.filter(({ image }) => image !== null);
  const { changed, searched } = await changedItems({
    eta,
    items: pictured.filter(({ measure }) => measure === 'unsafe'),
    harmless: pictured.filter(({ isHarmful }) => isHarmful === false),
    changes: chosen.changes,
    searchLimits: chosen.isSearched ? SEARCH_LIMITS : [],
    queryCount: flags.queries ?? QUERIES,
    seed: flags.seeds?.[0] ?? 1,
    folder: picturesFolder(out),
    signal,
    onPicture: (done, wanted) => progress.show(`changing pictures: ${done} of ${wanted}`),
  });
  const measured = await answered(run, eta, ROBUSTNESS_ARMS, robustnessTrials(changed, ROBUSTNESS_ARMS));
  return {
    measured,
    table: await robustnessTable(measured, changed),
    parts: { curves: robustnessCurves(measured, changed), headlines: robustnessHeadlines(measured, changed) },
    notes: [
      'The changed pictures are in the folder "pictures" beside the report.',
      ...searchNotes(searched, knownThreshold(eta.facts.thresholds, 'unsafeClipScore', eta.facts.policy.method)),
    ],
  };
}

async function overhead(run: Run, eta: Eta): Promise<Found> {
  const { flags, read, dataset, judges, signal, progress } = run;
  const counts = flags.counts ?? CANDIDATE_COUNTS;
  const items = read.items.filter(({ measure, image }) => measure === 'unsafe' && image !== null);
  const seed = flags.seeds?.[0] ?? 1;
  const timed: Timed[] = [];
  const time = async (one: Eta, model: string) => {
    const onAnswer = (done: number, wanted: number) => progress.show(`${model}: ${done} of ${wanted}`);
    timed.push(...(await timeArms({ eta: one, model, items, counts, seed, signal, onAnswer })));
  };
  const others = (flags.otherModel ?? []).map((files) => modelOf(files, eta));
  await time(eta, eta.facts.models.name);
  for (const models of others) {
    await using other = await loadFor(run, { models });
    await time(other, basename(models.languageModel));
  }
  const settings: BatchSettings = await settingsOf(eta.facts, { seed, contextSize: flags.contextSize ?? 0 }, signal);
  const measured: Measurement = {
    dataset,
    variant: read.variant,
    items,
    runs: overheadNames(timed),
    seeds: [seed],
    judgeName: judges.judge.name,
    comparerName: null,
    settings,
    answers: [],
    rates: [],
    differences: [],
    failed: {},
    cut: cutCounts(timed.map(({ arm, result }) => ({ run: arm, stopReason: result.stopReason }))),
  };
  return {
    measured,
    table: await overheadTable(timed),
    parts: { curves: await overheadCurves(timed, counts), times: overheadTimes(timed) },
    notes: [
      'Thresholds were set so that every request takes the path that is measured: no figure here says how often that happens.',
      'Nothing was judged.',
    ],
  };
}

const overheadNames = (timed: readonly Timed[]) => [...new Set(timed.map(({ arm }) => arm))];

async function answered(run: Run, eta: Eta, arms: readonly Arm[], trials: readonly Trial[]): Promise<Measurement> {
  const { name, flags, dataset, read, judges, out, signal, progress } = run;
  return await measureArms({
    eta,
    judges,
    arms,
    trials,
    dataset,
    variant: read.variant,
    seeds: flags.seeds ?? SEEDS,
    experiment: name,
    out,
    contextSize: flags.contextSize,
    concurrency: flags.concurrency ?? CONCURRENCY,
    signal,
    onAnswer: ({ doneCount }, wanted) => progress.show(`answering: ${doneCount} of ${wanted}`),
    onJudgement: (done, wanted) => progress.show(`judging: ${done} of ${wanted}`),
  });
}

/** What decides which models are loaded. */
function methodsOf({ name }: Run): readonly Method[] {
  if (name === 'overhead' || name === 'robustness') return ['eta'];
  return PRESETS[name].arms.map(({ method }) => method);
}

/** @param other models beside those that the flags name */
export async function loadFor(run: Run, other: Pick<LoadEtaOptions, 'models'> = {}): Promise<Eta> {
  const { name, flags, dataset, signal, progress, notices } = run;
  const { concurrency = CONCURRENCY, maxTokens = dataset.maxTokens, n, temperature, topK, counts } = flags;
  const method: Method = methodsOf(run).every((one) => one === 'vanilla') ? 'vanilla' : 'eta';
  const decisions = given({ method, candidateCount: n, temperature, topK, maxTokens });
  const most = Math.max(...(counts ?? CANDIDATE_COUNTS));
  const room =
    name === 'overhead' ? roomFor(1, { ...decisions, candidateCount: most }) : roomFor(concurrency, decisions);
  try {
    return await loadEta({
      ...room,
      ...loadOptions(flags),
      ...other,
      ...decisions,
      onNotice: notices.add,
      signal,
      onProgress: (at) => progress.show(loadingText(at)),
    });
  } finally {
    progress.clear();
  }
}

function changesOf({ change }: ExperimentFlags) {
  const names = [...PICTURE_CHANGES.map(({ name }) => name), 'search'];
  for (const name of change ?? []) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const hint = near === undefined ? `Known: ${names.join(', ')}.` : `Did you mean '${near}'?`;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--change: expected names of changes, received ${describe(name)}. ${hint}`,
    );
  }
  const isWanted = (name: string) => change === undefined || change.includes(name);
  return { changes: PICTURE_CHANGES.filter(({ name }) => isWanted(name)), isSearched: isWanted('search') };
}

/** Another language model beside the evaluators that are there. */
function modelOf(files: string, { facts }: Eta) {
  const [languageModel = '', projector = '', ...more] = files.split(',');
  const { clip, rewardModel } = facts.models;
  if (languageModel === '' || projector === '' || more.length > 0 || clip === null || rewardModel === null)
    throw wrongModel(files);
  return { languageModel, projector, clip, rewardModel };
}

function wrongModel(files: string): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    `--other-model: expected LANGUAGE-MODEL.gguf,PROJECTOR.gguf, beside a CLIP and a reward model, received ${describe(files)}. Name both files.`,
  );
}
