/** What `runBatch` is given, checked. */
import { z } from 'zod';
import { signalSchema } from '../abort.js';
import type { Eta } from '../eta/index.js';
import { integer } from '../options.js';
import type { AnswerLine, BatchRequest, KeptParts, RefusedRequest } from './answer-line.js';
import type { ResultsFile } from './results-file.js';
import type { TallyCounts } from './tally.js';

/** How far a batch is. */
export interface BatchProgress {
  /** Requests that are settled, those of earlier runs included. */
  readonly doneCount: number;
  /** Those of earlier runs among them. */
  readonly keptCount: number;
  /** Of all lines in the file. */
  readonly tally: TallyCounts;
  /** What was written; null for a request that an earlier run settled. */
  readonly line: AnswerLine | null;
}

/**
 * What `runBatch` takes. What the settings of the results say (`seed`, `keepsTrace`, `repeatable`, and the shard, whose
 * requests alone are asked) holds without being said again; said otherwise, it is refused.
 */
export interface RunBatchOptions extends KeptParts {
  /** Who answers. */
  eta: Eta;
  /**
   * What is asked; read as it is needed, so that it may be endless. An id that stands twice is an error where it stands
   * again.
   */
  requests: Iterable<BatchRequest | RefusedRequest> | AsyncIterable<BatchRequest | RefusedRequest>;
  /** Where the answers go; what it holds already is not asked again. The caller closes it. */
  results: ResultsFile;
  /** Requests at once, >= 1; those that the context has no room for wait. @default 8 */
  concurrency?: number | undefined;
  /**
   * What the seeds of requests without one are derived from, an integer from 0 to 4294967295.
   * @default that of the results' settings; 1 where they have none
   */
  seed?: number | undefined;
  /** Whether the finished file stands in the order of the requests, not of completion. @default false */
  ordered?: boolean | undefined;
  /** Ends the batch with an AbortError; what was answered by then is in the file. */
  signal?: AbortSignal | undefined;
  /** Called for each request that is settled. What it throws ends the batch. */
  onProgress?: ((progress: BatchProgress) => void) | undefined;
}

const flag = z.boolean('expected true or false').optional();
const holds =
  (...methods: readonly string[]) =>
  (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function');

const isIterable = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  [Symbol.iterator, Symbol.asyncIterator].some((name) => typeof Reflect.get(value, name) === 'function');

export const runBatchSchema = z.strictObject(
  {
    eta: z.custom<Eta>(holds('respond'), 'expected an Eta of loadEta'),
    requests: z.custom<RunBatchOptions['requests']>(isIterable, 'expected an iterable of requests'),
    results: z.custom<ResultsFile>(holds('add', 'find', 'flush'), 'expected a ResultsFile that is open'),
    concurrency: integer(1, 255).optional(),
    seed: integer(0, 0xffffffff).optional(),
    ordered: flag,
    keepsTrace: flag,
    repeatable: flag,
    signal: signalSchema.optional(),
    onProgress: z
      .custom<NonNullable<RunBatchOptions['onProgress']>>((value) => typeof value === 'function', 'expected a function')
      .optional(),
  },
  'expected { eta, requests, results }',
);
