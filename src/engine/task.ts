/** What one sequence still has to do. The scheduler runs tasks; it does not know what they are for. */
import { EngineError } from '../errors.js';
import type { NativeRunResult } from '../native/run-results.js';
import type { NativeContrast, NativeRunEntry } from '../native/run-types.js';
import type { StopReason } from '../types/stop-reason.js';
import type { TokenSet } from './token-set.js';
import type { TokenText } from './token-text.js';
import { MOST_TOKENS } from './tokenizing.js';

/** Why a decode ended: as an answer's, or at a pause. */
export type DecodeStopReason = Extract<StopReason, 'end' | 'length'> | 'paused';

export interface Task {
  readonly sequence: number;
  /** What the next run is asked for. */
  entry(): NativeRunEntry;
  /**
   * Takes what a run brought.
   * @returns whether the task is done
   * @throws whatever ends it: the cache is full, or a callback of the caller threw
   */
  take(result: NativeRunResult): boolean;
}

/** Decodes pending input and samples nothing. */
export class PrefillTask implements Task {
  readonly sequence: number;
  readonly #onRead: (cellCount: number) => void;

  /** @param onRead told after each run how many tokens are cells; it must not throw */
  constructor(sequence: number, onRead: (cellCount: number) => void) {
    this.sequence = sequence;
    this.#onRead = onRead;
  }

  entry(): NativeRunEntry {
    return { sequence: this.sequence, maxTokens: 0, pauseSet: -1 };
  }

  take(result: NativeRunResult): boolean {
    throwIfStuck(result);
    this.#onRead(result.tokenCount);
    return result.state !== 'running';
  }
}

export interface DecodeTaskOptions {
  readonly maxTokens: number;
  readonly text: TokenText;
  readonly pause: { readonly set: TokenSet; accept(text: string, tokens: readonly number[]): boolean } | undefined;
  readonly until: ((text: string) => boolean) | undefined;
  readonly onText: ((text: string) => void) | undefined;
  readonly wantsLogProbability: boolean;
  readonly contrast: NativeContrast | undefined;
}

/** Samples until the end, the last token allowed, or an accepted pause. */
export class DecodeTask implements Task {
  readonly sequence: number;
  readonly tokens: number[] = [];
  readonly #options: DecodeTaskOptions;
  text = '';
  stopReason: DecodeStopReason | undefined;
  /** Sum over the tokens, under the distributions they were drawn from; undefined where nobody asked. */
  logProbability: number | undefined;

  constructor(sequence: number, options: DecodeTaskOptions) {
    this.sequence = sequence;
    this.#options = options;
    this.logProbability = options.wantsLogProbability ? 0 : undefined;
  }

  entry(): NativeRunEntry {
    const { maxTokens, pause, until, contrast } = this.#options;
    const rest = until === undefined ? Math.min(maxTokens - this.tokens.length, MOST_TOKENS) : 1;
    return { sequence: this.sequence, maxTokens: rest, pauseSet: pause?.set.id ?? -1, contrast };
  }

  take(result: NativeRunResult): boolean {
    for (const token of result.tokens) this.tokens.push(token);
    if (this.logProbability !== undefined) {
      for (const logProbability of result.logProbabilities) this.logProbability += logProbability;
    }
    const ended = result.state === 'ended';
    const fresh = this.#options.text.push(result.tokens) + (ended ? this.#options.text.flush() : '');
    if (fresh !== '') {
      this.text += fresh;
      this.#options.onText?.(fresh);
    }
    throwIfStuck(result);
    this.stopReason = ended ? 'end' : this.#pausesHere(result) ? 'paused' : this.#isAtLimit() ? 'length' : undefined;
    return this.stopReason !== undefined;
  }

  #isAtLimit(): boolean {
    return this.tokens.length >= this.#options.maxTokens;
  }

  /** The last token allowed may be one to pause at, whichever of the two the addon reports. */
  #pausesHere(result: NativeRunResult): boolean {
    const { pause, until } = this.#options;
    if (result.tokens.length > 0 && until?.(this.text) === true) return true;
    const last = result.tokens.at(-1);
    if (pause === undefined || last === undefined || !pause.set.has(last)) return false;
    return pause.accept(this.text, this.tokens);
  }
}

function throwIfStuck(result: NativeRunResult): void {
  if (result.state === 'failed' && result.tokenCount === 0) {
    throw new EngineError(
      'ERR_DECODE',
      'Expected a sequence with its state, received one that lost it when llama.cpp failed: a model that keeps a running ' +
        'state cannot take a step back. Release it, and begin anew.',
    );
  }
  if (result.state === 'failed') {
    throw new EngineError(
      'ERR_DECODE',
      "Expected finite logits of the sequence's last token, received none. The model file may be damaged; fetch it again.",
    );
  }
  if (result.state !== 'full') return;
  throw new EngineError(
    'ERR_CACHE_FULL',
    `Expected room in the KV cache for a sequence of ${result.tokenCount} tokens with ${result.pendingCount} pending, ` +
      'found none. Reserve as many cells as the request can need, or create the context with a larger contextSize.',
  );
}
