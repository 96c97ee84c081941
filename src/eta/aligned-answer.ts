/** An answer made again, as the pipeline and its ladder make one: behind a question that was read, whole, not yet judged. */
import type { Sequence } from '../engine/index.js';
import type { Policy } from '../policy/index.js';
import type { StopReason } from '../types/stop-reason.js';
import type { RoundTrace, RungTrace } from '../types/trace.js';
import { align } from './align.js';
import type { AnswerText } from './answer-text.js';
import { leadOf } from './lead.js';
import type { Question } from './question.js';
import type { RequestRun } from './request-run.js';
import type { Beginning } from './sentence-checks.js';
import { type Made, stopReasonOf } from './stop-reason.js';

/** An answer that was made again. */
export interface AlignedAnswer {
  readonly answer: AnswerText;
  readonly made: Made;
  /** With those of its prefix, and of what had gone out before it. */
  readonly tokens: readonly number[];
  /** Those of what had gone out. */
  readonly goneCount: number;
  /** Tokens that were sampled for it. */
  readonly sampledTokenCount: number;
  readonly stopReason: StopReason;
  /** Ends with it, and lives as long as the lease of its question. */
  readonly sequence: Sequence;
  /** How it was made, as a trace of a ladder tells it. */
  readonly how: Pick<RungTrace, 'rung' | 'prefix' | 'captionPrompt' | 'caption' | 'rounds'>;
}

/** What of it differs from one to the next. */
export interface AlignedHow {
  /** With the prefix that it begins with. */
  readonly policy: Policy;
  readonly rung: RungTrace['rung'];
  /** Gets the text as it is made; holds what has gone out before it. */
  readonly answer: AnswerText;
  readonly gone: Beginning;
  onRound(round: RoundTrace): void;
}

/** @throws AbortError within one step of the signal; what align throws */
export async function alignedAnswer(
  question: Question,
  { parts, request, evaluation, measures, seed, cutBack, signal }: RequestRun,
  { policy, rung, answer, gone, onRound }: AlignedHow,
): Promise<AlignedAnswer> {
  const endTokens = await parts.sentenceEnds.of(policy);
  const { prefixTokens } = question;
  const prefix = prefixTokens.length === 0 ? '' : policy.interferencePrefix;
  const lead = await leadOf(parts.model, {
    gone,
    prefix: { text: prefix, tokens: prefixTokens },
    stops: request.stops,
  });
  const { goneCount } = lead;
  const made = await measures.time('alignMs', () =>
    align(question.root, {
      policy,
      thresholds: request.thresholds,
      evaluation,
      maxTokens: left(question.maxTokens, goneCount),
      roomTokens: left(question.roomTokens, goneCount),
      lead,
      endTokens,
      seed,
      answer,
      stops: request.stops,
      cutBack,
      onRound: (round) => {
        measures.add('candidateCount', round.candidates.length);
        measures.add('undrawnCandidateCount', round.undrawnCount ?? 0);
        onRound(round);
      },
      signal,
    }),
  );
  answer.end();
  measures.add('sampledTokenCount', made.sampledTokenCount);
  return {
    answer,
    made,
    tokens: [...lead.tokens, ...made.tokens],
    goneCount,
    sampledTokenCount: made.sampledTokenCount,
    stopReason: stopReasonOf({ ...made, tokenCount: goneCount + made.tokenCount }, policy.maxTokens),
    sequence: made.sequence,
    how: {
      rung,
      prefix,
      captionPrompt: null,
      caption: null,
      rounds: [],
    },
  };
}

/** Tokens that an answer may still have behind what has gone out, of which its last sentence was not. */
export function left(tokenCount: number, goneCount: number): number {
  return Math.max(1, tokenCount - goneCount);
}
