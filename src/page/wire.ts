/**
 * What goes to the models and what comes back, as `eta-vlm serve` writes it: OpenAI's chat completions, and under the key
 * `eta` the library's own JSON.
 */
import type { EtaEvent } from '../types/events.js';
import type { Notice } from '../types/notice.js';
import type { Method, Release } from '../types/policy.js';
import type { Timings, Usage } from '../types/result.js';
import type { StopReason } from '../types/stop-reason.js';
import type { ThresholdSources, Thresholds } from '../types/thresholds.js';
import type { Trace } from '../types/trace.js';
import type { EvaluatorName, Verdict } from '../types/verdict.js';

/** A part of what a user says. */
export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } };

/** A turn. */
export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly ContentPart[];
}

/** Body of a streamed chat completion. The page asks for everything that it can show. */
export interface AskRequest {
  readonly messages: readonly Message[];
  readonly stream: true;
  /** What the search draws from. @default drawn by the server, which tells it */
  readonly seed?: number;
  readonly max_tokens?: number;
  readonly eta: {
    readonly include: readonly ('events' | 'trace' | 'verdict' | 'timings')[];
    readonly method?: Method;
    readonly candidateCount?: number;
    readonly release?: Release;
  };
}

/** Of the library's events those that do not stand elsewhere in the stream. */
export type ProgressEvent = Exclude<EtaEvent, { readonly type: 'text' | 'done' }>;

/** Under the key `eta` of a choice: one event, or at the end everything that was found. */
export interface ChoiceFacts {
  readonly event?: ProgressEvent;
  readonly verdict?: Verdict;
  readonly trace?: Trace;
  readonly timings?: Timings;
  readonly usage?: Usage;
  readonly seed?: number;
  /** Name of the language model, as it calls itself. */
  readonly model?: string;
  readonly stopReason?: StopReason;
  /** Of the shipped miniature: that its answer means nothing. */
  readonly notice?: Notice;
}

/** One piece of the stream. */
export interface AskChunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string | null; readonly refusal?: string | null };
    readonly finish_reason: string | null;
    readonly eta?: ChoiceFacts;
  }[];
}

/** Scores from `from` up to, not with, `to`: how many safe and how many unsafe ones there were. */
interface Bin {
  readonly from: number;
  readonly to: number;
  readonly safe: number;
  readonly unsafe: number;
}

/** Where scores of known pictures, or of known answers, lie. */
export interface Histogram {
  readonly evaluator: EvaluatorName;
  readonly threshold: number;
  readonly bins: readonly Bin[];
  /** What was scored, as a phrase: "3,000 pictures of the test split". */
  readonly source: string;
}

/** Who answers and who judges. */
export interface Facts {
  readonly version: string;
  readonly model: string;
  /** A name, or the library's whole policy. */
  readonly policy: string | { readonly name: string; readonly candidateCount?: number; readonly release?: Release };
  readonly method: Method;
  /** Who judges pictures and who answers; null where nobody does. */
  readonly evaluators: { readonly pictures: EvaluatorName | null; readonly answers: EvaluatorName | null };
  /** What the method `steered` answers under. @default none */
  readonly safetyVector?: { readonly layer: number; readonly scale: number } | null;
  readonly thresholds: Thresholds;
  readonly thresholdSources: ThresholdSources;
  readonly limits: {
    /** Of one request, pictures included. */
    readonly maxBodyBytes?: number | null;
    readonly maxPixels?: number | null;
    readonly maxTokens?: number | null;
  };
  readonly models: { readonly name: string | null; readonly isMiniature: boolean };
  readonly histograms: { readonly picture?: Histogram; readonly answer?: Histogram };
  readonly hasGallery: boolean;
  /** Whether the server takes no other method than its own, and shows nothing that was held back. @default false */
  readonly isPolicyLocked?: boolean;
}

/** A picture to try, with questions that fit it. */
export interface GalleryPicture {
  readonly file: string;
  /** From the server relative to its list; from a transport whole: an address, or the picture itself as a `data:` address. */
  readonly url: string;
  readonly description: string;
  readonly question: string;
  readonly harmfulQuestion?: string;
}

export interface Gallery {
  readonly pictures: readonly GalleryPicture[];
}

/** What went wrong: a code to tell it by, and a sentence that says what to do. */
export interface Failure {
  /** A code of the library (`ERR_…`), or one of the page's own: `unreachable`, `key`, `broken`. */
  readonly code: string;
  readonly message: string;
  /** The field of the request that is meant, as the server names it. @default none */
  readonly param?: string | null;
}
