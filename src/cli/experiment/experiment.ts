/** `eta-vlm experiment`: one table on stdout, everything else in the folder of the report. */
import { CONCURRENCY } from '../../batch/index.js';
import { answersOutputs, datasetOf, readItems, reportData } from '../../benchmark/index.js';
import { UsageError } from '../../errors.js';
import { PRESETS } from '../../experiment/index.js';
import type { Eta } from '../../index.js';
import { describe, nearest } from '../../options.js';
import { checkApart } from '../../outputs/index.js';
import { type ReportData, reportOutputs, writeReport } from '../../report/index.js';
import { EXIT } from '../../terminal/failure.js';
import { fitted } from '../../terminal/fit.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { commandLine } from '../command-line.js';
import { datasetInputs, judgeInputs, modelInputs } from '../inputs.js';
import { judgesOf } from '../judges.js';
import { Notices } from '../notices.js';
import { runMachine, runVersions } from '../run-facts.js';
import { shownTable } from '../shown-table.js';
import { EXPERIMENTS, type ExperimentName } from './command.js';
import { carryOut, type ExperimentFlags, type Found, loadFor, picturesFolder, type Run } from './runs.js';

export type { ExperimentFlags } from './runs.js';

/**
 * Reads the set, answers, judges, writes the report, and prints its table.
 *
 * @returns the exit code: 3 when some answers failed
 * @throws EtaError what reading, loading, answering and judging throw; AbortError. What was answered is kept
 */
export async function experiment(
  name: string | undefined,
  flags: ExperimentFlags,
  signal: AbortSignal,
): Promise<number> {
  const known = nameOf(name);
  const out = outOf(flags, known);
  const dataset = datasetOf(flags.benchmark ?? 'miniature');
  const startedAt = new Date();
  const read = await readItems(dataset, flags);
  const others = (flags.otherModel ?? []).flatMap((files) => files.split(','));
  await checkApart(
    [
      ...(await answersOutputs(out)),
      ...reportOutputs(out),
      { path: picturesFolder(out), name: 'The changed pictures (--out)', isFolder: true },
    ],
    [
      ...datasetInputs(read),
      ...judgeInputs(flags),
      ...(await modelInputs(flags)),
      ...others.map((path) => ({ path, name: 'a file of --other-model' })),
    ],
  );
  const judges = await judgesOf(dataset.name, flags, signal);
  const progress = new Progress();
  const notices = new Notices(dataset);
  try {
    const run: Run = { name: known, flags, dataset, read, judges, out, signal, progress, notices };
    await using eta = await loadFor(run);
    const found = await carryOut(run, eta);
    progress.show('writing the report ...');
    const data = await dataOf(run, found, eta, startedAt);
    const files = await writeReport(data, out);
    progress.clear();
    print(flags.json === true ? `${JSON.stringify(found.table)}\n` : `${shownTable(found.table)}\n`);
    notices.tell();
    process.stderr.write(`${fitted(process.stderr, `report: ${files.html}`)}\n`);
    return Object.keys(found.measured.failed).length > 0 ? EXIT.someFailed : EXIT.ok;
  } finally {
    progress.clear();
    await judges.judge.dispose();
    await judges.comparer?.dispose();
  }
}

async function dataOf(run: Run, found: Found, eta: Eta, startedAt: Date): Promise<ReportData> {
  const { name, dataset, read, judges, flags } = run;
  const { measured, table, parts = {}, notes = [] } = found;
  const { policy, preset, thresholds, models } = eta.facts;
  const data = await reportData(measured, {
    command: commandLine(),
    startedAt,
    endedAt: new Date(),
    thresholds,
    versions: runVersions(),
    machine: runMachine(),
    settings: {
      experiment: name,
      preset,
      N: policy.candidateCount,
      temperature: policy.temperature,
      'top-k': policy.topK,
      'tokens of an answer at most': policy.maxTokens,
      'when still unsafe': policy.whenStillUnsafe,
      ...thresholds,
      'requests at once': name === 'overhead' ? 1 : (flags.concurrency ?? CONCURRENCY),
    },
    judgeSettings: judges.judge.settings,
    models,
    model: models.name,
  });
  const variant = read.variant === '' ? '' : ` (${read.variant})`;
  return {
    ...data,
    title: `Experiment: ${table.title.charAt(0).toLowerCase()}${table.title.slice(1)}`,
    subject: `${subjectOf(name)} ${measured.items.length} questions of ${dataset.title}${variant}, answered by ${models.name}.`,
    tables: [table, ...(data.tables ?? [])],
    ...parts,
    notes: [...notes, ...(name === 'overhead' ? [] : (data.notes ?? []))],
  };
}

function subjectOf(name: ExperimentName): string {
  if (name === 'overhead') return 'What does an answer through ETA cost, path by path and against N?';
  if (name === 'robustness') return 'What is left of ETA when pictures are changed to slip past its CLIP gate?';
  return PRESETS[name].question;
}

function nameOf(name: string | undefined): ExperimentName {
  const found = EXPERIMENTS.find((known) => known === name);
  if (found !== undefined) return found;
  const near = name === undefined ? undefined : nearest(name, EXPERIMENTS);
  const hint = near === undefined ? `Known: ${EXPERIMENTS.join(', ')}.` : `Did you mean '${near}'?`;
  const received = name === undefined ? 'none' : describe(name);
  throw new UsageError('ERR_INVALID_OPTION', `Expected the name of an experiment, received ${received}. ${hint}`);
}

function outOf({ out }: ExperimentFlags, name: ExperimentName): string {
  if (out !== undefined) return out;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected --out with the folder for answers and report, received none. Name one, such as --out ${name}-report.`,
  );
}
