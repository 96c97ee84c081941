/** The model's own answer: made on a fork, so that the question stays for the alignment. */
import { GREEDY, type SamplerOptions, type Sequence } from '../engine/index.js';
import type { Policy } from '../policy/index.js';
import type { StopTexts } from '../search/index.js';
import type { AnswerText } from './answer-text.js';
import type { Made } from './stop-reason.js';
import type { CutBack } from './stopped-answer.js';

export interface OwnAnswerOptions {
  readonly policy: Pick<Policy, 'answerTemperature' | 'answerTopP'>;
  /** Of the request, the round and the place in it. */
  seed(round: number, index: number): number;
  readonly maxTokens: number;
  /** Gets the text as it is sampled. */
  readonly answer: AnswerText;
  readonly stops: StopTexts;
  readonly cutBack: CutBack | null;
  readonly signal: AbortSignal;
}

export interface OwnAnswer extends Made {
  /** As they were sampled, with a stop text's. */
  readonly tokens: readonly number[];
  /** Ends with it. */
  readonly sequence: Sequence;
}

/** @throws AbortError, EngineError */
export async function ownAnswer(root: Sequence, options: OwnAnswerOptions): Promise<OwnAnswer> {
  const { answer, maxTokens, stops, signal } = options;
  const [sequence] = (await root.fork(1)) as [Sequence];
  const { tokens, stopReason } = await sequence.decode({
    sampler: samplerOf(options),
    maxTokens,
    until: stops.isEmpty ? undefined : () => answer.isStopped,
    onText: (text) => answer.push(text),
    signal,
  });
  answer.end();
  const { isStopped } = answer;
  if (isStopped) await options.cutBack?.(sequence, tokens, answer.text);
  return { tokens, tokenCount: tokens.length, isEnded: stopReason === 'end', isStopped, sequence };
}

/** Candidates draw with the seeds of their rounds, which count from 1. */
function samplerOf({ policy, seed }: OwnAnswerOptions): SamplerOptions {
  const { answerTemperature: temperature, answerTopP: topP } = policy;
  return temperature === 0 ? GREEDY : { temperature, topP, seed: seed(0, 0) };
}
