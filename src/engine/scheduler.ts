/**
 * One loop over every sequence of every request that has work. There is no prefill phase and no decode phase: a task is
 * an entry of the next run, whatever it needs, and the addon packs one batch a step from all of them. A run returns
 * when a sequence is done, or when it is interrupted because somebody came or left, and the next run is planned from what
 * is there then. Where a processor is free beside those that compute, tokens are handed out meanwhile, while the addon
 * computes the next step; where none is, JavaScript would stand in the way of that step, so the run returns for them.
 */
import { setImmediate } from 'node:timers/promises';
import { onAbort } from '../abort.js';
import { AbortError, EngineError, throwIfAborted, UsageError } from '../errors.js';
import type { NativeContext } from '../native/context-types.js';
import { type NativeRunResult, resultsOf } from '../native/run-results.js';
import type { NativeRunReport } from '../native/run-types.js';
import { engineError } from './native-error.js';
import type { Task } from './task.js';

/**
 * A run reports, or returns, this often, or once a step: text streams at 25 pieces a second or one a step, whichever is slower. Told to
 * the addon, because nobody knows beforehand how long steps will be: whoever comes may bring a long prompt. Other work for
 * the model's thread has its turn then.
 */
const REPORT_MS = 40;

/** Steps of a report at most, however short they are. */
const MAX_STEPS = 16;

interface RunningTask {
  readonly task: Task;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Set when the task has to leave at the next step boundary. */
  leaving: { readonly error: unknown } | undefined;
}

export class Scheduler {
  readonly #context: NativeContext;
  readonly #tellsMeanwhile: boolean;
  readonly #tasks = new Map<number, RunningTask>();
  #isLooping = false;
  #isRunning = false;

  /** @param tellsMeanwhile whether runs report while they go on */
  constructor(context: NativeContext, tellsMeanwhile: boolean) {
    this.#context = context;
    this.#tellsMeanwhile = tellsMeanwhile;
  }

  /**
   * Runs the task to its end, beside all others. Settles only when the addon is done with the sequence's step, so that
   * whoever waits knows what the sequence holds.
   *
   * @throws AbortError one step after the signal at the latest; EngineError ERR_DECODE, ERR_CACHE_FULL; UsageError
   *   ERR_DISPOSED; whatever a callback of the task threw
   */
  async run(task: Task, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    let takeBack: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#tasks.set(task.sequence, { task, resolve, reject, leaving: undefined });
        takeBack = onAbort(signal, () => this.cancel(task.sequence, new AbortError(signal)));
        this.interrupt();
        if (!this.#isLooping) void this.#loop();
      });
    } finally {
      takeBack?.();
    }
  }

  /** Makes the task of this sequence, if it has one, reject with the error at the next step boundary. */
  cancel(sequence: number, error: Error): void {
    const running = this.#tasks.get(sequence);
    if (running !== undefined) running.leaving ??= { error };
    this.interrupt();
  }

  /** The same for every task. */
  cancelAll(error: Error): void {
    for (const sequence of this.#tasks.keys()) this.cancel(sequence, error);
  }

  /** Ends the run in progress at its next step boundary, because something else waits for the addon's thread. */
  interrupt(): void {
    if (this.#isRunning) this.#context.interrupt();
  }

  async #loop(): Promise<void> {
    this.#isLooping = true;
    await setImmediate(); // whoever calls in this turn joins the first step
    for (let tasks = this.#staying(); tasks.length > 0; tasks = this.#staying()) {
      if (this.#handOut(await this.#runAll(tasks))) await setImmediate(); // what follows from an answer joins the next step
    }
    this.#isLooping = false;
  }

  /** Tasks that take part in the next run; those that have to leave are let go. */
  #staying(): RunningTask[] {
    for (const running of this.#tasks.values()) {
      if (running.leaving !== undefined) this.#fail(running, running.leaving.error);
    }
    return [...this.#tasks.values()];
  }

  /**
   * One run of these tasks. When an entry is refused, which the addon does before any step, or a step fails, of which the
   * addon leaves nothing, each task runs alone: it ends whose fault it is.
   */
  async #runAll(tasks: readonly RunningTask[]): Promise<NativeRunResult[]> {
    this.#isRunning = true;
    try {
      const entries = tasks.map((running) => running.task.entry());
      const onReport = this.#tellsMeanwhile ? (report: NativeRunReport) => this.#hear(resultsOf(report)) : undefined;
      const run = this.#context.run({ entries, stepBudget: MAX_STEPS, budgetMs: REPORT_MS, onReport });
      return resultsOf(await run);
    } catch (cause) {
      const error = engineError(cause);
      if (isOfOneTask(error) && tasks.length > 1) return await this.#runAlone(tasks);
      for (const running of tasks) this.#fail(running, running.leaving?.error ?? error);
      return [];
    } finally {
      this.#isRunning = false;
    }
  }

  async #runAlone(tasks: readonly RunningTask[]): Promise<NativeRunResult[]> {
    const results: NativeRunResult[] = [];
    for (const running of tasks) {
      if (running.leaving === undefined) results.push(...(await this.#runAll([running])));
    }
    return results;
  }

  /** Gives each task what a run has brought so far, which is no end of it: a run returns where one is done. */
  #hear(results: readonly NativeRunResult[]): void {
    for (const { running, result } of this.#told(results)) {
      try {
        running.task.take(result);
      } catch (error) {
        running.leaving = { error };
        this.interrupt();
      }
    }
  }

  /** Gives each task what it got; true when one is done or has failed. */
  #handOut(results: readonly NativeRunResult[]): boolean {
    let anyDone = false;
    for (const { running, result } of this.#told(results)) {
      try {
        if (!running.task.take(result)) continue;
        this.#tasks.delete(result.sequence);
        running.resolve();
      } catch (error) {
        this.#fail(running, error);
      }
      anyDone = true;
    }
    return anyDone;
  }

  /** Results with whose they are. Those that leave are told nothing more. */
  #told(results: readonly NativeRunResult[]): { readonly running: RunningTask; readonly result: NativeRunResult }[] {
    return results.flatMap((result) => {
      const running = this.#tasks.get(result.sequence);
      return running === undefined || running.leaving !== undefined ? [] : [{ running, result }];
    });
  }

  #fail(running: RunningTask, error: unknown): void {
    this.#tasks.delete(running.task.sequence);
    running.reject(error);
  }
}

function isOfOneTask(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof EngineError && error.code === 'ERR_DECODE');
}
