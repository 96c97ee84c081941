/** `eta-vlm batch`: many requests, answered into a file. Progress and summary go to stderr. */
import {
  BATCH_SEED,
  type BatchDecisions,
  type BatchSummary,
  CONCURRENCY,
  checkResultsPlace,
  ResultsFile,
  readSettings,
  resultsOutputs,
  roomFor,
  runBatch,
  type Shard,
  scheduledShard,
  settingsOf,
} from '../../batch/index.js';
import { AbortError, UsageError } from '../../errors.js';
import type { Eta } from '../../index.js';
import { checkApart } from '../../outputs/index.js';
import { EXIT } from '../../terminal/failure.js';
import { write } from '../../terminal/output.js';
import { columnsOf, createPaint } from '../../terminal/paint.js';
import { BatchProgressLine } from '../batch-progress.js';
import { commandLine } from '../command-line.js';
import { modelInputs } from '../inputs.js';
import { loadModels } from '../load-models.js';
import { loadOptions } from '../load-options.js';
import { given, type ModelFlags } from '../model-options.js';
import { Notices } from '../notices.js';
import { type PolicyFlags, policyOptions } from '../policy-options.js';
import { type ReadingFlags, Requests } from './requests.js';
import { summaryLines } from './summary.js';
import { waitNotice } from './wait-notice.js';
import { checkWritten, type WritingFlags, writeBeside, writtenOutputs } from './written.js';

export interface BatchOptions extends ModelFlags, PolicyFlags, ReadingFlags, WritingFlags {
  readonly out?: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly retryErrors?: boolean;
  readonly concurrency?: number;
  readonly ordered?: boolean;
  /** `auto`: as the scheduler says. */
  readonly shard?: Shard | 'auto';
  readonly wait?: boolean;
  readonly trace?: boolean;
  readonly repeatable?: boolean;
  readonly seed?: number;
}

/** Options whose shard is known. */
interface SettledOptions extends Omit<BatchOptions, 'shard'> {
  readonly shard?: Shard;
}

/**
 * Answers what the file asks. What can be refused is refused before the models load.
 *
 * @param requestsPath a file, a folder, or "-" for stdin
 * @returns the exit code
 * @throws EtaError what loading throws, and what ends a batch; AbortError
 */
export async function batch(requestsPath: string, asked: BatchOptions, signal: AbortSignal): Promise<number> {
  const shard = asked.shard === 'auto' ? scheduledShard(process.env) : asked.shard;
  const options: SettledOptions = given({ ...asked, shard });
  const { resume = false, overwrite = false, retryErrors = false, concurrency = CONCURRENCY } = options;
  const path = neededOut(options.out, 'batch requests.jsonl --out answers.jsonl');
  const requests = new Requests(requestsPath, options);
  await requests.check();
  const outputs = [...(await resultsOutputs(path)), ...writtenOutputs(path, options)];
  await checkApart(outputs, [...requests.inputs, ...(await modelInputs(options))]);
  const waiting = { waits: options.wait, signal, onWait: waitNotice(path, options.wait === true) };
  const { target } = await checkResultsPlace({ path, resume, overwrite, ...waiting });
  await checkWritten(path, options, resume || overwrite);
  const room = roomFor(concurrency, policyOptions(options));
  const earlier = resume ? await earlierContextSize(target) : undefined;
  const contextSize = options.contextSize ?? earlier ?? room.contextSize;
  const notices = new Notices();
  await using eta = await loadModels({
    ...room,
    ...loadOptions(options),
    ...policyOptions(options),
    contextSize,
    onNotice: notices.add,
    signal,
  });
  const settings = await settingsOf(eta.facts, decisionsOf(options), signal);
  const about = aboutRun(eta);
  await using results = await ResultsFile.open({ path, settings, about, resume, overwrite, retryErrors, ...waiting });
  return await answered(requests, { path, eta, results, notices }, options, signal);
}

/** What stands ready when the first request is read. */
interface Ready {
  readonly path: string;
  readonly eta: Eta;
  readonly results: ResultsFile;
  readonly notices: Notices;
}

/** @returns the exit code */
async function answered(
  requests: Requests,
  { path, eta, results, notices }: Ready,
  options: SettledOptions,
  signal: AbortSignal,
): Promise<number> {
  const { concurrency = CONCURRENCY, shard, ordered = false } = options;
  const unit = await requests.unit();
  const progress = new BatchProgressLine();
  const startedAt = performance.now();
  const tell = (summary: BatchSummary, isWhole: boolean, written: readonly string[] = []) => {
    progress.clear();
    const lines = summaryLines(summary, {
      ms: performance.now() - startedAt,
      isWhole,
      path,
      unit,
      written,
      failures: progress.failures,
      unknownCount: notices.count,
      paint: createPaint(process.stderr),
      columns: columnsOf(process.stderr),
    });
    write(process.stderr, `${lines.join('\n')}\n`);
  };
  if (results.repairedByteCount > 0) {
    progress.note(`Took away a torn last line of ${results.repairedByteCount} bytes; its request is asked again.`);
  }
  const wanted = given({ shard, signal });
  void requests.count(wanted).then((count) => progress.expect(count));
  let summary: BatchSummary;
  try {
    summary = await runBatch({
      eta,
      requests: requests.read(wanted),
      results,
      concurrency,
      ordered,
      signal,
      onProgress: (at) => {
        notices.tell((line) => progress.note(line));
        progress.show(at);
      },
    });
  } catch (error) {
    if (error instanceof AbortError) tell({ ...progress.latest, tally: results.tally }, false);
    throw error;
  } finally {
    progress.clear();
  }
  let written: readonly string[] = [];
  try {
    written = await writeBeside(path, options, signal);
  } finally {
    tell(summary, true, written); // the answers are there, whatever came of the other files
  }
  return summary.tally.errorCount > 0 ? EXIT.someFailed : EXIT.ok;
}

/** @throws UsageError ERR_INVALID_OPTION */
function neededOut(out: string | undefined, example: string): string {
  if (out !== undefined) return out;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected --out with the file for the answers, received none. For example: eta-vlm ${example}`,
  );
}

function decisionsOf({ seed = BATCH_SEED, trace, repeatable, shard }: SettledOptions): BatchDecisions {
  return given({ seed, keepsTrace: trace === true, repeatable: repeatable === true, shard });
}

/** For whoever finds the file: none of it decides an answer. */
function aboutRun({ facts }: Eta) {
  return {
    command: commandLine(),
    startedAt: new Date().toISOString(),
    languageModel: facts.models.languageModel,
    machine: `${process.platform} ${process.arch}, Node ${process.version}`,
  };
}

/** A context sized otherwise could cut answers otherwise: whoever goes on takes the size that was begun with. */
async function earlierContextSize(target: string): Promise<number | undefined> {
  const settings = await readSettings(target).catch(() => null); // opening the file tells what is wrong
  const size = settings?.['contextSize'];
  return typeof size === 'number' ? size : undefined;
}
