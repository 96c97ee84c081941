/** What an experiment is: a named question about items of a benchmark, answered in one table. */
import type { Dataset, Judges, Measurement, ReadItems } from '../benchmark/index.js';
import type { Eta } from '../eta/index.js';
import type { ModelPaths } from '../models/index.js';
import type { DataTable, ReportData } from '../report/index.js';
import type { Method } from '../types/policy.js';
import type { ExperimentName } from './names.js';

export interface Experiment {
  /** As the command line calls it. */
  readonly name: ExperimentName;
  /** Of its report, in the middle of a sentence. */
  readonly title: string;
  /** What it finds out, in a sentence. */
  readonly question: string;
  /** The methods that it asks; an Eta is loaded with what they need. */
  readonly methods: readonly Method[];
  /** What the context that it is run in has to hold. */
  room(options: ExperimentOptions): Room;
  /**
   * Answers, judges and counts. What can be kept is kept in the folder: run again, it goes on.
   *
   * @throws UsageError for options that name what there is not, ERR_RESULTS_DIFFER for a folder with other answers;
   * AbortError; FileError; what answering and judging throw
   */
  run(options: RunOptions): Promise<Findings>;
}

interface Room {
  /** Requests at once. */
  readonly concurrency: number;
  /** Candidates of a request at most. @default the policy's */
  readonly candidateCount?: number;
}

/** What may be asked otherwise. */
export interface ExperimentOptions {
  /** Of the methods that draw. @default SEEDS; an experiment with one seed takes the first */
  readonly seeds?: readonly number[] | undefined;
  /** Requests at once. @default CONCURRENCY; times are taken of one at a time */
  readonly concurrency?: number | undefined;
  /** Where it was named: a context that is larger only because more runs at once gives the same answers. */
  readonly contextSize?: number | undefined;
  /** Pixels of a picture at most, as `eta` was loaded with. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  /** Overhead: values of N, rising. @default CANDIDATE_COUNTS */
  readonly counts?: readonly number[] | undefined;
  /** Overhead: language models to time beside the loaded one, with its evaluators. @default none */
  readonly otherModels?: readonly LanguageModelFiles[] | undefined;
  /** Endurance: requests in all, at least; each question is asked as often as the others. @default ENDURANCE_REQUESTS */
  readonly requestCount?: number | undefined;
  /** Robustness: names of changes, the search among them. @default all */
  readonly changes?: readonly string[] | undefined;
  /** Robustness: folder of pictures that were changed elsewhere. @default none */
  readonly attacks?: string | undefined;
  /** Robustness: CLIP scores that the search may ask for, for each picture. @default QUERY_COUNT */
  readonly queryCount?: number | undefined;
}

export interface LanguageModelFiles {
  readonly languageModel: string;
  readonly projector: string;
}

export interface RunOptions extends ExperimentOptions, Omit<ReadItems, 'paths'> {
  readonly eta: Eta;
  /** Where the items come from. */
  readonly dataset: Dataset;
  readonly judges: Judges;
  /** Folder of what is kept; made when it is missing. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
  /** Loads other models under the options of `eta`; whoever calls it disposes of them. */
  load(models: ModelPaths): Promise<Eta>;
  /** @param what in words, such as "answering" */
  readonly onProgress?: ((what: string, done: number, wanted: number) => void) | undefined;
}

/** What an experiment found, before it is a report. */
export interface Findings {
  readonly measured: Measurement;
  readonly table: DataTable;
  /** Tables that stand behind it in the report. */
  readonly moreTables?: readonly DataTable[];
  /** Parts of the report that take the place of those that the measurement alone would give. */
  readonly parts?: Partial<ReportData>;
  /** What is said before the report's other notes. */
  readonly notes?: readonly string[];
}
