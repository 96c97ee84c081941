/** Counts and times of one request. */
import type { Timings, Usage } from '../types/result.js';

type Writable<Record> = { -readonly [Name in keyof Record]: Record[Name] };

export class Measures {
  readonly #startedAt = performance.now();
  readonly #usage: Writable<Usage> = {
    promptTokenCount: 0,
    imageTokenCount: 0,
    cachedTokenCount: 0,
    answerTokenCount: 0,
    sampledTokenCount: 0,
    candidateCount: 0,
    undrawnCandidateCount: 0,
    rewardTokenCount: 0,
    rewardCachedTokenCount: 0,
  };
  readonly #timings: Writable<Timings> = {
    imageDecodeMs: 0,
    clipMs: 0,
    prefillMs: 0,
    vanillaMs: 0,
    rewardMs: 0,
    alignMs: 0,
    firstTextMs: 0,
    totalMs: 0,
  };

  get usage(): Usage {
    return { ...this.#usage };
  }

  /** The times, `totalMs` up to now. */
  get timings(): Timings {
    return { ...this.#timings, totalMs: this.#elapsedMs() };
  }

  add(name: keyof Usage, count: number): void {
    this.#usage[name] += count;
  }

  /** Adds the wall time of the work to a phase, also when it fails. */
  async time<Value>(name: keyof Timings, work: () => Promise<Value>): Promise<Value> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.#timings[name] += performance.now() - startedAt;
    }
  }

  /** The first text left. */
  textLeft(): void {
    if (this.#timings.firstTextMs === 0) this.#timings.firstTextMs = this.#elapsedMs();
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }
}
