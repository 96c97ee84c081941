/** A question and its answer. */
import type { EtaResult } from '../types/result.js';
import type { Verdict } from '../types/verdict.js';
import { newId } from './id.js';
import type { Picture } from './picture.js';
import type { AskOptions } from './settings.svelte.js';
import { continued, NOTHING_YET, type Story, storyOf } from './story.js';
import type { Failure, ProgressEvent } from './wire.js';

/**
 * `waiting`: nothing has come yet. `answering`: something has. The others are ends: the answer is whole, the user stopped
 * it, it failed.
 */
export type Status = 'waiting' | 'answering' | 'done' | 'stopped' | 'failed';

/** As it is kept. */
export interface KeptExchange {
  readonly id: string;
  readonly question: string;
  readonly pictures: readonly Picture[];
  readonly options: AskOptions;
  readonly status: Status;
  readonly text: string;
  readonly story: Story;
  readonly result: EtaResult | null;
  readonly failure: Failure | null;
  /** Absent where an earlier version kept it. */
  readonly isBeyond?: boolean;
}

export class Exchange {
  readonly id: string;
  readonly question: string;
  readonly pictures: readonly Picture[];
  readonly options: AskOptions;
  status = $state<Status>('waiting');
  /** What was given out so far. */
  text = $state('');
  story = $state.raw<Story>(NOTHING_YET);
  /** Everything, once it is done. */
  result = $state.raw<EtaResult | null>(null);
  failure = $state.raw<Failure | null>(null);
  /** Whether the miniature answered about what it cannot know, as the server tells it. */
  isBeyond = $state(false);
  /** As `Date.now()`. */
  readonly begunAt = Date.now();

  constructor(asked: Pick<KeptExchange, 'question' | 'pictures' | 'options'>, kept?: KeptExchange) {
    this.id = kept?.id ?? newId();
    this.question = asked.question;
    this.pictures = asked.pictures;
    this.options = asked.options;
    if (kept === undefined) return;
    // A page that was closed midway has stopped it.
    const wasRunning = kept.status === 'waiting' || kept.status === 'answering';
    this.status = wasRunning ? 'stopped' : kept.status;
    this.text = kept.text;
    this.story = kept.story;
    this.result = kept.result;
    this.failure = kept.failure;
    this.isBeyond = kept.isBeyond ?? false;
  }

  get isRunning(): boolean {
    return this.status === 'waiting' || this.status === 'answering';
  }

  /** Whether there is anything to tell of how it came about. */
  get hasStory(): boolean {
    const { picture, vanillaText, sentences, answer, verdict } = this.story;
    return sentences !== undefined || picture !== null || vanillaText !== null || answer !== null || verdict !== null;
  }

  hear(event: ProgressEvent): void {
    this.story = continued(this.story, event);
  }

  /** @param verdict all that is told where the server's policy is locked */
  finish(result: EtaResult | null, verdict: Verdict | null): void {
    this.status = 'done';
    this.result = result;
    if (result !== null) this.story = storyOf(result);
    else if (verdict !== null)
      this.story = { ...this.story, picture: verdict.picture, answer: verdict.answer, verdict };
  }

  /** Whole or in part, it can be what the next question follows. */
  get isFollowed(): boolean {
    return this.text !== '' && (this.status === 'done' || this.status === 'stopped');
  }

  toKept(): KeptExchange {
    const { id, question, pictures, options, status, text, story, result, failure, isBeyond } = this;
    return { id, question, pictures, options: { ...options }, status, text, story, result, failure, isBeyond };
  }
}
