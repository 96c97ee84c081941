/** Answers of a benchmark: made through the batch runner, so that a run that was stopped goes on. */
import {
  type AnswerLine,
  type BatchProgress,
  type BatchRequest,
  digestOf,
  type ResultsFile,
  readAnswers,
  runBatch,
} from '../batch/index.js';
import { type Eta, isCut } from '../eta/index.js';
import { Turns } from '../turns.js';
import type { ImageSource } from '../types/picture.js';
import type { StopReason } from '../types/stop-reason.js';
import type { BenchmarkItem } from './item.js';
import { answerSeed, type Instance } from './plan.js';

/** An answer and what asked for it. `line.error` says why there is none. */
export interface Answer<Item extends BenchmarkItem = BenchmarkItem> {
  readonly instance: Instance<Item>;
  readonly line: AnswerLine;
}

export interface AnswerOptions<Wanted extends Instance> {
  readonly eta: Eta;
  readonly instances: readonly Wanted[];
  /** How each is asked. @default its prompt and picture under its method */
  readonly requestOf?: ((instance: Wanted) => BatchRequest) | undefined;
  /** Opened by the caller, who closes it; holds the rounds of each answer too. */
  readonly results: ResultsFile;
  /** Requests at once. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
}

/**
 * Makes the answers that the file does not hold yet.
 *
 * @throws what runBatch throws; what was answered by then is in the file
 */
export async function answerInstances<Wanted extends Instance>(options: AnswerOptions<Wanted>): Promise<void> {
  const { eta, results, concurrency, signal, onProgress } = options;
  await runBatch({
    eta,
    requests: requestsOf(options),
    results,
    keepsTrace: true,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

/** Each made when it is asked for; many may be answered already, and are passed over at once. */
async function* requestsOf<Wanted extends Instance>(
  options: AnswerOptions<Wanted>,
): AsyncGenerator<BatchRequest, void> {
  const { instances, requestOf = plainRequest, signal } = options;
  const turns = new Turns(signal);
  for (const instance of instances) {
    if (turns.isDue) await turns.give();
    yield requestOf(instance);
  }
}

function plainRequest(instance: Instance): BatchRequest {
  const { id, item, method, image } = instance;
  const seed = answerSeed(instance);
  return {
    id,
    digest: digestOf([item.prompt, pictureName(image), method, seed]),
    request: { prompt: item.prompt, images: image === null ? [] : [image], method, seed },
  };
}

/** What a picture is told by: its content, or the end of its path, so that a set may be moved while its answers stay. */
function pictureName(image: ImageSource | null): unknown {
  return typeof image === 'string' && !image.startsWith('data:') ? image.split(/[\\/]/).slice(-2) : image;
}

/** The answers that a file holds for these instances, in the order of the instances. @throws FileError when it cannot be read */
export async function answersOf<Item extends BenchmarkItem>(
  path: string,
  instances: readonly Instance<Item>[],
): Promise<Answer<Item>[]> {
  const lines = new Map<string, AnswerLine>();
  for await (const line of readAnswers(path)) if (line.id !== null) lines.set(line.id, line);
  return instances.flatMap((instance) => {
    const line = lines.get(instance.id);
    return line === undefined ? [] : [{ instance, line }];
  });
}

/** Whether a fixed refusal stands in for what the search made. */
export function isReplaced({ line }: Answer): boolean {
  return line.verdict?.action === 'refused';
}

/** What the search made, also where a fixed refusal took its place; else what the user was shown. */
export function madeText({ line }: Answer): string | null {
  return line.trace?.alignedText ?? line.text;
}

/** Why an answer of a run ends; null where there is none. */
export interface AnswerEnd {
  readonly run: string;
  readonly stopReason: StopReason | null;
}

/** Why {@link madeText} ends. */
export function endOf({ instance, line }: Answer): AnswerEnd {
  return { run: instance.run, stopReason: line.trace?.alignedStopReason ?? line.stopReason };
}

/** Answers that were cut, of each run that has some. */
export function cutCounts(ends: readonly AnswerEnd[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { run, stopReason } of ends) if (isCut(stopReason)) counts[run] = (counts[run] ?? 0) + 1;
  return counts;
}

/**
 * The shown text without the interference prefix, whose "as an AI" every list of refusals would take for one, and without
 * the comma behind it: a refusal stands at the beginning.
 */
export function textBehindPrefix({ line }: Answer): string | null {
  const prefix = line.trace?.interferencePrefix ?? '';
  if (line.text === null || prefix === '' || line.verdict?.action !== 'aligned') return line.text;
  return line.text.startsWith(prefix) ? line.text.slice(prefix.length).replace(/^[\s,.:;-]+/, '') : line.text;
}
