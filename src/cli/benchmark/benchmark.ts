/** `eta-vlm benchmark`: a table on stdout, everything else in the folder of the report. */
import { CONCURRENCY } from '../../batch/index.js';
import {
  answersOutputs,
  COMPARED_METHODS,
  DATASETS,
  type Dataset,
  datasetOf,
  type Judges,
  type Measurement,
  measure,
  type ReadItems,
  type Circumstances as ReportFacts,
  readItems,
  reportData,
  SEEDS,
  summaryObject,
} from '../../benchmark/index.js';
import { AbortError, UsageError } from '../../errors.js';
import type { Eta } from '../../index.js';
import { vectorText } from '../../loading/index.js';
import { checkApart } from '../../outputs/index.js';
import { checkReportPlace, type ReportData, type ReportFiles, reportOutputs, writeReport } from '../../report/index.js';
import { EXIT } from '../../terminal/failure.js';
import { fitted } from '../../terminal/fit.js';
import { tell } from '../../terminal/output.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import type { Method } from '../../types/policy.js';
import { BatchProgressLine } from '../batch-progress.js';
import { commandLine } from '../command-line.js';
import { datasetInputs, judgeInputs, modelInputs } from '../inputs.js';
import { type JudgeFlags, judgesOf } from '../judges.js';
import { checkVector, loadForMethods } from '../load-models.js';
import { given, type ModelFlags } from '../model-options.js';
import { Notices } from '../notices.js';
import type { PolicyFlags } from '../policy-options.js';
import { runMachine, runVersions } from '../run-facts.js';
import { shownSummary } from '../shown-table.js';

export interface BenchmarkFlags extends ModelFlags, JudgeFlags, Omit<PolicyFlags, 'method'> {
  readonly list?: boolean;
  readonly root?: string;
  readonly variant?: string;
  readonly out?: string;
  readonly method?: readonly Method[];
  readonly seeds?: readonly number[];
  readonly limit?: number;
  readonly concurrency?: number;
  readonly json?: boolean;
}

/**
 * Reads the set, answers, judges, writes the report, and prints its figures.
 *
 * @returns the exit code: 3 when some answers failed or could not be judged at all
 * @throws EtaError what reading, loading, answering and judging throw; AbortError. What was answered is kept
 */
export async function benchmark(name: string | undefined, flags: BenchmarkFlags, signal: AbortSignal): Promise<number> {
  if (flags.list === true) {
    print(flags.json === true ? `${JSON.stringify(listed())}\n` : fitted(process.stdout, listText()));
    return EXIT.ok;
  }
  const dataset = datasetOf(nameOf(name));
  const out = outOf(flags, dataset);
  checkVector(flags.method ?? [], flags);
  const startedAt = new Date();
  const read = await readItems(dataset, flags);
  await checkApart(
    [...(await answersOutputs(out)), ...reportOutputs(out)],
    [...datasetInputs(read), ...judgeInputs(flags), ...(await modelInputs(flags))],
  );
  await checkReportPlace(out);
  const variant = read.variant === '' ? '' : ` (${read.variant})`;
  tell(`${read.items.length} questions of ${dataset.title}${variant}`);
  const judges = await judgesOf(dataset.name, flags, signal);
  try {
    const { measured, notes, files } = await answered(dataset, read, flags, { out, judges, signal, startedAt });
    print(flags.json === true ? `${JSON.stringify(summaryObject(measured))}\n` : `${shownSummary(measured)}\n`);
    for (const line of [...notes.map((note) => `note: ${note}`), `report: ${files.html}`]) tell(line);
    return Object.keys(measured.failed).length > 0 ? EXIT.someFailed : EXIT.ok;
  } finally {
    await judges.judge.dispose();
    await judges.comparer?.dispose();
  }
}

interface Circumstances {
  readonly out: string;
  readonly judges: Judges;
  readonly signal: AbortSignal;
  readonly startedAt: Date;
}

interface Reported {
  readonly measured: Measurement;
  /** What the report says beside its figures. */
  readonly notes: readonly string[];
  readonly files: ReportFiles;
}

async function answered(
  dataset: Dataset,
  read: ReadItems,
  flags: BenchmarkFlags,
  { out, judges, signal, startedAt }: Circumstances,
): Promise<Reported> {
  const { method: methods = COMPARED_METHODS, maxTokens = dataset.maxTokens, ...others } = flags;
  const { seeds = SEEDS, concurrency = CONCURRENCY, contextSize } = others;
  const answering = new BatchProgressLine();
  const progress = new Progress();
  const notices = new Notices(dataset);
  const asked = given({ ...others, maxTokens });
  await using eta = await loadForMethods(asked, { methods, concurrency }, { onNotice: notices.add, signal });
  try {
    const measured = await measure({
      ...read,
      dataset,
      methods,
      seeds,
      eta,
      judges,
      out,
      contextSize,
      concurrency,
      signal,
      onAnswer: (at, wanted) => {
        notices.tell((line) => answering.note(line));
        answering.expect(wanted);
        answering.show(at);
      },
      onJudgement: (done, wanted) => {
        answering.clear();
        progress.show(`judging: ${done} of ${wanted}`);
      },
    });
    progress.show('writing the report ...');
    const settings = settingsOf(eta, concurrency);
    const data = await dataOf(measured, eta, { startedAt, settings, judgeSettings: judges.judge.settings });
    const files = await writeReport(data, out);
    return { measured, notes: data.notes ?? [], files };
  } catch (error) {
    if (error instanceof AbortError) {
      answering.note(`${answering.latest.doneCount} answers are kept in ${out}; the same command goes on.`);
    }
    throw error;
  } finally {
    answering.clear();
    progress.clear();
  }
}

async function dataOf(
  measured: Measurement,
  { facts: { thresholds, models } }: Eta,
  decided: Pick<ReportFacts, 'startedAt' | 'settings' | 'judgeSettings'>,
): Promise<ReportData> {
  return await reportData(measured, {
    ...decided,
    command: commandLine(),
    endedAt: new Date(),
    thresholds,
    versions: runVersions(),
    machine: runMachine(),
    models,
    model: measured.answers.find(({ line }) => line.model !== null)?.line.model ?? models.name,
  });
}

function nameOf(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected the name of a benchmark, received none. Known: ${DATASETS.map((dataset) => dataset.name).join(', ')}; --list tells more.`,
  );
}

function outOf({ out }: BenchmarkFlags, { name }: Dataset): string {
  if (out !== undefined) return out;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected --out with the folder for answers and report, received none. Name one, such as --out ${name}-report.`,
  );
}

function listed() {
  return DATASETS.map(({ name, title, source, licence, layout, variants, shippedRoot }) => ({
    name,
    title,
    source,
    licence,
    layout,
    variants,
    isShipped: shippedRoot !== undefined,
  }));
}

function listText(): string {
  return DATASETS.map((dataset) => {
    const { name, title, source, licence, variants, layout } = dataset;
    const lines = [
      `${name}: ${title}`,
      `  ${source}`,
      `  licence   ${licence}`,
      ...(variants.length === 0 ? [] : [`  variants  ${variants.join(', ')}`]),
      '  files',
      ...layout.map((line) => `    ${line}`),
    ];
    return `${lines.join('\n')}\n`;
  }).join('\n');
}

function settingsOf({ facts }: Eta, concurrency: number) {
  const { policy, thresholds, safetyVector } = facts;
  const {
    gate,
    ladder,
    candidateCount,
    firstCandidateCount,
    temperature,
    topK,
    maxTokens,
    sentenceTokenLimit,
    whenStillUnsafe,
    interferencePrefix,
  } = policy;
  return {
    policy: policy.name,
    ...(gate !== null && { gate }),
    ...(ladder.length > 0 && { ladder: ladder.join(', ') }),
    N: candidateCount,
    ...(firstCandidateCount > 0 && { 'of these drawn first': firstCandidateCount }),
    temperature,
    'top-k': topK,
    'tokens of an answer at most': maxTokens,
    'tokens of a sentence at most': sentenceTokenLimit,
    'when still unsafe': whenStillUnsafe,
    'interference prefix': interferencePrefix,
    ...thresholds,
    ...(safetyVector !== null && { 'safety vector': vectorText(safetyVector) }),
    'requests at once': concurrency,
  };
}
