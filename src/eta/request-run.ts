/** A request while it runs: what it asks, who answers and who judges, what it has measured, found and told so far. */
import type { Context, EncodedImages, Model, Sequence } from '../engine/index.js';
import { judgeAnswer, type MethodPlan, planFor } from '../policy/index.js';
import type { EtaEvent } from '../types/events.js';
import type { Notice } from '../types/notice.js';
import type { EtaResult } from '../types/result.js';
import type { StopReason } from '../types/stop-reason.js';
import type { Action, Judgement } from '../types/verdict.js';
import type { WorkGroup } from '../work-group.js';
import type { SentenceEnds } from './align.js';
import type { SaidAnswer } from './answer-judge.js';
import { AnswerText } from './answer-text.js';
import type { DecodedPictures } from './decoded-pictures.js';
import { type AnswerScore, Evaluation, type Evaluators } from './evaluation.js';
import type { KnownPictures } from './known-pictures.js';
import { Measures } from './measures.js';
import type { CheckedRequest } from './request.js';
import { type Beginning, NOTHING } from './sentence-checks.js';
import type { Made } from './stop-reason.js';
import { type CutBack, cutBack, REST_TOKENS, tokensOfText } from './stopped-answer.js';
import { TraceRecorder } from './trace.js';

/** What requests are run with; the Eta that made it owns it all. */
export interface PipelineParts {
  readonly model: Model;
  readonly context: Context;
  /** Under the safety vector; null where none was loaded: then no request asks for it. */
  readonly steered: Context | null;
  /** Pictures, kept for later requests. */
  readonly images: EncodedImages;
  /** Which pictures files show. */
  readonly files: KnownPictures;
  readonly evaluators: Evaluators;
  readonly sentenceEnds: SentenceEnds;
  /** One seed for each (seed, round, index). */
  deriveSeed(seed: number, round: number, index: number): number;
  /** Told what the miniature does not know; null where the models were named. */
  readonly onNotice: ((notice: Notice) => void) | null;
}

export type Emit = (event: EtaEvent) => void;

interface RequestRunOptions {
  readonly parts: PipelineParts;
  readonly request: CheckedRequest;
  readonly pictures: DecodedPictures;
  /** What runs for it. */
  readonly group: WorkGroup;
  readonly emit: Emit;
}

export class RequestRun {
  readonly parts: PipelineParts;
  readonly request: CheckedRequest;
  readonly pictures: DecodedPictures;
  readonly group: WorkGroup;
  readonly emit: Emit;
  readonly measures = new Measures();
  readonly evaluation: Evaluation;
  readonly recorder: TraceRecorder;
  readonly plan: MethodPlan;
  /** Where the language model judges what its sequences end with; null where texts are judged. */
  readonly cutBack: CutBack | null;
  /** What was found of the pictures; null where nobody was asked. */
  pictureIsUnsafe: boolean | null = null;

  constructor({ parts, request, pictures, group, emit }: RequestRunOptions) {
    this.parts = parts;
    this.request = request;
    this.pictures = pictures;
    this.group = group;
    this.emit = emit;
    const { policy, turns, reuse, exact } = request;
    const { model, evaluators } = parts;
    this.evaluation = new Evaluation(
      evaluators,
      { policy, turns, reuse, exact, pictures: () => pictures.all() },
      this.measures,
    );
    this.recorder = new TraceRecorder(request);
    this.plan = planFor(policy, pictures.count);
    this.cutBack = evaluators.isSelf ? (...stopped) => cutBack(model, ...stopped) : null;
  }

  get signal(): AbortSignal {
    return this.group.signal;
  }

  /** Of the request, the round and the place in it. */
  readonly seed = (round: number, index: number): number => this.parts.deriveSeed(this.request.seed, round, index);

  /** Tokens that the language model is asked about each answer of its own; 0 where it is not. */
  async askedTokenCount(): Promise<number> {
    if (this.plan.gate === null) return 0;
    const count = await this.evaluation.askedTokenCount(this.signal);
    return count > 0 && !this.request.stops.isEmpty ? count + REST_TOKENS : count;
  }

  async judge(answer: SaidAnswer): Promise<Judgement> {
    return this.judgementOf(await this.evaluation.answerScore(answer, this.signal));
  }

  judgementOf({ score, evaluator }: AnswerScore): Judgement {
    return judgeAnswer(score, this.request, evaluator, this.pictureIsUnsafe);
  }

  /** Leaves what the sequence holds to later requests. */
  keep(sequence: Sequence): void {
    // It spares others work, and fails no answer.
    if (this.request.reuse) this.group.start(() => sequence.keep().catch(() => undefined));
  }

  /** Text that is held until it is opened, but for what has gone out, and then goes out as `text` events. */
  answerText({ text: gone }: Beginning = NOTHING): AnswerText {
    return new AnswerText((text) => this.giveOut(text), this.request.stops, gone);
  }

  giveOut(text: string): void {
    this.measures.textLeft();
    this.emit({ type: 'text', text });
  }

  /** Tokens of the text alone. */
  tokenCount({ isStopped }: Made, tokens: readonly number[], { text }: AnswerText): number {
    return isStopped ? tokensOfText(this.parts.model, tokens, text) : tokens.length;
  }

  finish(action: Action, text: string, stopReason: StopReason, tokenCount: number): EtaResult {
    this.measures.add('answerTokenCount', tokenCount);
    const verdict = this.recorder.verdict(action);
    this.emit({ type: 'verdict', verdict });
    const result: EtaResult = {
      text,
      stopReason,
      verdict,
      trace: this.recorder.trace(),
      usage: this.measures.usage,
      timings: this.measures.timings,
      model: this.parts.model.name,
      seed: this.request.seed,
    };
    this.emit({ type: 'done', result });
    return result;
  }
}
