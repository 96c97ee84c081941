/** Many requests through one Eta, in every way that callers treat it, and what is left behind afterwards. */
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortError, decodeImage, type Eta, EtaError, type EtaResult } from '../src/index.js';
import { galleryRequests } from './gallery-requests.js';
import { slope } from './slope.js';
import { type SoakRequest, soakRequest } from './soak-requests.js';

export interface SoakOptions {
  readonly requestCount: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly onProgress?: (doneCount: number) => void;
}

/** How the requests ended, and all that must be nothing. */
export interface SoakFigures {
  /** Answers by action, and "left early", "aborted", "refused with ERR_…". */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Of the answers. */
  readonly stopReasons: Readonly<Record<string, number>>;
  readonly requestMs: number;
  /** Resident memory at each of 40 marks, in bytes. */
  readonly residentBytes: readonly number[];
  /** Bytes a request over the last half, by least squares. */
  readonly slopeBytes: number;
  /** Errors that nothing of the request explains; listeners, warnings, rejections that stayed; answers that changed. */
  readonly faults: readonly string[];
  /** Cells and sequences that are still held. */
  readonly heldCount: number;
}

const MARKS = 40;
/** A control: asked before and after, when nothing else runs. */
const CONTROLS = 12;

export async function soak(eta: Eta, options: SoakOptions): Promise<SoakFigures> {
  const { requestCount, concurrency, seed, onProgress } = options;
  const faults: string[] = [];
  const onWarning = (warning: Error) => faults.push(`warning: ${warning.message}`);
  const onRejection = (reason: unknown) => faults.push(`unhandled rejection: ${reason}`);
  process.on('warning', onWarning).on('unhandledRejection', onRejection);
  const [before, pixels] = [await controls(eta), await decodeImage(galleryRequests(1)[0]?.image ?? '')];
  const outcomes: Record<string, number> = {};
  const stopReasons: Record<string, number> = {};
  const residentBytes: number[] = [];
  const shared = new AbortController(); // one signal that many requests carry, and that never fires
  let asked = 0;
  let done = 0;
  const startedAt = performance.now();
  const work = async () => {
    while (asked < requestCount) {
      const index = asked++;
      const one = soakRequest(seed, index, pixels);
      const { outcome, result, fault } = await askOne(eta, one, shared.signal);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (result !== null) stopReasons[result.stopReason] = (stopReasons[result.stopReason] ?? 0) + 1;
      if (fault !== null) faults.push(`request ${index}: ${fault}`);
      onProgress?.(++done);
      if (done % Math.ceil(requestCount / MARKS) === 0) residentBytes.push(process.memoryUsage.rss());
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const requestMs = (performance.now() - startedAt) / requestCount;
  await sleep(50); // what is wrong late is wrong too
  const listeners = getEventListeners(shared.signal, 'abort').length;
  if (listeners > 0) faults.push(`${listeners} listeners stayed on the shared signal`);
  const { usedCellCount, liveSequenceCount, keptCellCount, keptSequenceCount } = await eta.statistics();
  const after = await controls(eta);
  for (const [index, text] of before.entries()) {
    if (text !== after[index]) faults.push(`control ${index}: ${text} became ${after[index]}`);
  }
  process.off('warning', onWarning).off('unhandledRejection', onRejection);
  return {
    outcomes,
    stopReasons,
    requestMs,
    residentBytes,
    slopeBytes: slope([...residentBytes.entries()].slice(residentBytes.length >> 1)) / Math.ceil(requestCount / MARKS),
    faults,
    heldCount: Math.max(0, usedCellCount - keptCellCount) + liveSequenceCount - keptSequenceCount,
  };
}

interface Asked {
  readonly outcome: string;
  readonly result: EtaResult | null;
  readonly fault: string | null;
}

async function askOne(eta: Eta, one: SoakRequest, shared: AbortSignal): Promise<Asked> {
  const { request, isWrong, leftAfter, abortMs } = one;
  const own = new AbortController();
  if (abortMs === 0) own.abort();
  const timer = abortMs === null || abortMs === 0 ? undefined : setTimeout(() => own.abort(), abortMs);
  const signal = abortMs === null ? shared : own.signal;
  const ended = (outcome: string, result: EtaResult | null, fault: string | null): Asked => {
    const listeners = getEventListeners(own.signal, 'abort').length;
    return { outcome, result, fault: fault ?? (listeners > 0 ? `${listeners} listeners stayed on its signal` : null) };
  };
  try {
    const result = leftAfter === 0 ? await eta.respond({ ...request, signal }) : await leave(eta, one, signal);
    const fault = isWrong && result !== null ? 'a wrong request was answered' : null;
    return ended(result === null ? 'left early' : result.verdict.action, result, fault);
  } catch (error) {
    if (error instanceof AbortError)
      return ended('aborted', null, abortMs === null ? 'aborted, but its signal never fired' : null);
    const isExpected = isWrong && error instanceof EtaError;
    return ended(
      error instanceof EtaError ? `refused with ${error.code}` : 'failed',
      null,
      isExpected ? null : String(error),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Null where it was left before its end. */
async function leave(eta: Eta, { request, leftAfter }: SoakRequest, signal: AbortSignal): Promise<EtaResult | null> {
  let count = 0;
  for await (const event of eta.stream(request, { signal })) {
    if (event.type === 'done') return event.result;
    if (++count === leftAfter) return null;
  }
  throw new Error('the stream ended without its result');
}

/** Everything that a fixed set of requests decides, as text. */
async function controls(eta: Eta): Promise<string[]> {
  const found: string[] = [];
  for (const [index, { prompt, image }] of galleryRequests(CONTROLS).entries()) {
    const shown = index % 3 === 0 ? {} : { image: index % 3 === 1 ? image : readFileSync(image) };
    const { text, stopReason, verdict, trace } = await eta.respond({ prompt, ...shown, seed: index, maxTokens: 24 });
    const rounds = trace.rounds.map(({ candidates, chosen }) => ({ candidates, chosen }));
    found.push(JSON.stringify({ text, stopReason, verdict, rounds }));
  }
  return found;
}
