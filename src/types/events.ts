/** What happens on the way to a result, as it happens. */
import type { EtaResult } from './result.js';
import type { StopReason } from './stop-reason.js';
import type { RoundTrace, RungTrace, SentenceTrace } from './trace.js';
import type { Judgement, Verdict } from './verdict.js';

/** The pictures are judged. */
export interface PictureEvent {
  /** Tells the events apart. */
  readonly type: 'picture';
  /** Of all pictures together: the highest score counts. */
  readonly judgement: Judgement;
}

/** The model's own answer is ready, and will be judged; it has not been given out. */
export interface VanillaEvent {
  /** Tells the events apart. */
  readonly type: 'vanilla';
  /** The whole answer. */
  readonly text: string;
  /** Why it ends where it does. */
  readonly stopReason: StopReason;
}

/** A sentence of the model's own answer is judged, where it goes out sentence by sentence. */
export interface SentenceEvent {
  /** Tells the events apart. */
  readonly type: 'sentence';
  /** What it says goes out next; nothing of one that was found unsafe. */
  readonly sentence: SentenceTrace;
}

/** The model's own answer is judged. */
export interface AnswerEvent {
  /** Tells the events apart. */
  readonly type: 'answer';
  /** Of that answer alone; the aligned one's stands in the verdict. */
  readonly judgement: Judgement;
}

/** A round of the search has its winner. */
export interface RoundEvent {
  /** Tells the events apart. */
  readonly type: 'round';
  /** Its candidates, and which was chosen. */
  readonly round: RoundTrace;
}

/** An answer of a ladder is made and judged: the search's, where it is unsafe and a ladder goes on, or a rung's. */
export interface RungEvent {
  /** Tells the events apart. */
  readonly type: 'rung';
  /** How it came about, and what was found. */
  readonly rung: RungTrace;
}

/** A piece of the answer is given out. */
export interface TextEvent {
  /** Tells the events apart. */
  readonly type: 'text';
  /** The pieces joined give the result's text. */
  readonly text: string;
}

/** It is settled what was found and done. */
export interface VerdictEvent {
  /** Tells the events apart. */
  readonly type: 'verdict';
  /** As in the result. */
  readonly verdict: Verdict;
}

/** The request is done; nothing follows. */
export interface DoneEvent {
  /** Tells the events apart. */
  readonly type: 'done';
  /** As `respond` would give it. */
  readonly result: EtaResult;
}

/**
 * Progress, in order. `text` pieces joined give the result's text. A picture that looks unsafe holds the text back until
 * the verdict, or until its sentence is accepted (`release: 'checked'`); a clean one streams from the first token.
 */
export type EtaEvent =
  | PictureEvent
  | VanillaEvent
  | SentenceEvent
  | AnswerEvent
  | RoundEvent
  | RungEvent
  | TextEvent
  | VerdictEvent
  | DoneEvent;
