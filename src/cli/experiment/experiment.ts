/** `eta-vlm experiment`: one table on stdout, everything else in the folder of the report. */
import {
  answersOutputs,
  type Dataset,
  datasetOf,
  type Judges,
  type ReadItems,
  readItems,
} from '../../benchmark/index.js';
import { UsageError } from '../../errors.js';
import {
  type Experiment,
  type ExperimentOptions,
  experimentOf,
  experimentReport,
  type Findings,
  type LanguageModelFiles,
  picturesFolder,
} from '../../experiment/index.js';
import type { Eta, ModelChoice } from '../../index.js';
import { describe } from '../../options.js';
import { checkApart } from '../../outputs/index.js';
import { checkReportPlace, type ReportFiles, reportOutputs, writeReport } from '../../report/index.js';
import { EXIT } from '../../terminal/failure.js';
import { tell } from '../../terminal/output.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { commandLine } from '../command-line.js';
import { datasetInputs, judgeInputs, modelInputs } from '../inputs.js';
import { type JudgeFlags, judgesOf } from '../judges.js';
import { loadForMethods } from '../load-models.js';
import { given, type ModelFlags } from '../model-options.js';
import { Notices } from '../notices.js';
import type { PolicyFlags } from '../policy-options.js';
import { runMachine, runVersions } from '../run-facts.js';
import { shownTable } from '../shown-table.js';

export interface ExperimentFlags extends ModelFlags, JudgeFlags, Omit<PolicyFlags, 'method'> {
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
  readonly requests?: number;
  readonly change?: readonly string[];
  readonly attacks?: string;
  readonly queries?: number;
}

/** What the flags mean. */
interface Asked {
  readonly experiment: Experiment;
  readonly options: ExperimentOptions;
  readonly dataset: Dataset;
  readonly read: ReadItems;
  readonly out: string;
}

/**
 * Reads the set, runs the experiment on it, writes the report, and prints its table.
 *
 * @returns the exit code: 3 when some answers failed
 * @throws EtaError what reading, loading, answering and judging throw; AbortError. What was answered is kept
 */
export async function experiment(
  name: string | undefined,
  flags: ExperimentFlags,
  signal: AbortSignal,
): Promise<number> {
  const named = experimentOf(name);
  const out = outOf(flags, named);
  const dataset = datasetOf(flags.benchmark ?? 'miniature');
  const options = optionsOf(flags);
  const startedAt = new Date();
  const read = await readItems(dataset, flags);
  const asked: Asked = { experiment: named, options, dataset, read, out };
  await checkOutputs(asked, flags);
  const judges = await judgesOf(dataset.name, flags, signal);
  try {
    const notices = new Notices(dataset);
    const { findings, files } = await carriedOut(asked, flags, { judges, notices, signal, startedAt });
    const { table, measured } = findings;
    print(flags.json === true ? `${JSON.stringify(table)}\n` : `${shownTable(table)}\n`);
    notices.tell();
    tell(`report: ${files.html}`);
    return Object.keys(measured.failed).length > 0 ? EXIT.someFailed : EXIT.ok;
  } finally {
    await judges.judge.dispose();
    await judges.comparer?.dispose();
  }
}

interface Circumstances {
  readonly judges: Judges;
  readonly notices: Notices;
  readonly signal: AbortSignal;
  readonly startedAt: Date;
}

/** Loads, runs, and writes the report. */
async function carriedOut(
  { experiment, options, dataset, read, out }: Asked,
  flags: ExperimentFlags,
  { judges, notices, signal, startedAt }: Circumstances,
): Promise<{ readonly findings: Findings; readonly files: ReportFiles }> {
  const progress = new Progress();
  const wanted = { methods: experiment.methods, ...experiment.room(options) };
  const load = async (other: { readonly models?: ModelChoice }): Promise<Eta> => {
    progress.clear();
    const { maxTokens = dataset.maxTokens } = flags;
    return await loadForMethods(given({ ...flags, maxTokens }), wanted, { ...other, onNotice: notices.add, signal });
  };
  try {
    await using eta = await load({});
    const findings = await experiment.run({
      ...options,
      ...read,
      eta,
      dataset,
      judges,
      out,
      signal,
      load: (models) => load({ models }),
      onProgress: (what, done, count) => progress.show(`${what}: ${done} of ${count}`),
    });
    progress.show('writing the report ...');
    const data = await experimentReport(experiment, findings, {
      command: commandLine(),
      startedAt,
      endedAt: new Date(),
      versions: runVersions(),
      machine: runMachine(),
      judgeSettings: judges.judge.settings,
      eta: eta.facts,
      options,
    });
    return { findings, files: await writeReport(data, out) };
  } finally {
    progress.clear();
  }
}

async function checkOutputs({ out, read, options }: Asked, flags: ExperimentFlags): Promise<void> {
  const { attacks } = options;
  const others = (options.otherModels ?? []).flatMap(({ languageModel, projector }) => [languageModel, projector]);
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
      ...(attacks === undefined ? [] : [{ path: attacks, name: 'The folder of --attacks' }]),
      ...others.map((path) => ({ path, name: 'a file of --other-model' })),
    ],
  );
  await checkReportPlace(out);
}

function optionsOf(flags: ExperimentFlags): ExperimentOptions {
  const {
    otherModel,
    requests: requestCount,
    change: changes,
    attacks,
    queries: queryCount,
    seeds,
    concurrency,
    contextSize,
    maxPixels,
    counts,
  } = flags;
  const otherModels = otherModel?.map(filesOf);
  return {
    seeds,
    concurrency,
    contextSize,
    maxPixels,
    counts,
    requestCount,
    changes,
    attacks,
    queryCount,
    otherModels,
  };
}

/** @throws UsageError ERR_INVALID_OPTION */
function filesOf(files: string): LanguageModelFiles {
  const [languageModel = '', projector = '', ...more] = files.split(',');
  if (languageModel !== '' && projector !== '' && more.length === 0) return { languageModel, projector };
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `--other-model: expected LANGUAGE-MODEL.gguf,PROJECTOR.gguf, beside a CLIP and a reward model, received ${describe(files)}. Name both files.`,
  );
}

function outOf({ out }: ExperimentFlags, { name }: Experiment): string {
  if (out !== undefined) return out;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected --out with the folder for answers and report, received none. Name one, such as --out ${name}-report.`,
  );
}
