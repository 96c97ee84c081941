/** Aligning: the answer made again behind the interference prefix, by search or greedily. */
import type { Context, Model, Sequence, TokenSet } from '../engine/index.js';
import { type Policy, passingScore, planOf } from '../policy/index.js';
import {
  type SentenceRule,
  type StopTexts,
  searchBestOfN,
  sentencesByText,
  sentencesByToken,
} from '../search/index.js';
import type { Thresholds } from '../types/thresholds.js';
import type { RoundTrace } from '../types/trace.js';
import type { AnswerText } from './answer-text.js';
import type { Evaluation } from './evaluation.js';
import type { Lead } from './lead.js';
import type { Made } from './stop-reason.js';
import type { CutBack } from './stopped-answer.js';

export interface AlignOptions {
  readonly policy: Policy;
  readonly thresholds: Thresholds;
  readonly evaluation: Evaluation;
  readonly maxTokens: number;
  /** Tokens that there is room for, the last sentence of a search included. */
  readonly roomTokens: number;
  /** What it stands behind; `answer` holds what of it has gone out. */
  readonly lead: Lead;
  readonly endTokens: TokenSet;
  seed(round: number, index: number): number;
  /** Gets the text as it is sampled. */
  readonly answer: AnswerText;
  readonly stops: StopTexts;
  onRound(round: RoundTrace): void;
  readonly cutBack: CutBack | null;
  readonly signal: AbortSignal;
}

/** The aligned answer's counts, without what it stands behind, and its end. */
export interface Aligned extends Made {
  /** As they were sampled, with a stop text and what stands behind it. */
  readonly tokens: readonly number[];
  readonly sampledTokenCount: number;
  /** Ends with it, and is still alive. */
  readonly sequence: Sequence;
}

/** Continues `root`, which holds the question, to an aligned answer. */
export async function align(root: Sequence, options: AlignOptions): Promise<Aligned> {
  const { policy, maxTokens, lead, answer, signal } = options;
  if (lead.tokens.length > 0) await root.prefill([Int32Array.from(lead.tokens)], { signal }); // once; the candidates fork behind it
  answer.push(lead.text.slice(answer.text.length));
  if (answer.isStopped) return await ended(root, [], { isEnded: false, isStopped: true }, options);
  if (planOf(policy).usesSearch) return await search(root, options);
  const onText = (text: string) => answer.push(text);
  const until = options.stops.isEmpty ? undefined : () => answer.isStopped;
  const made = await root.decode({ sampler: { temperature: 0 }, maxTokens, until, signal, onText });
  return await ended(root, made.tokens, { isEnded: made.stopReason === 'end', isStopped: answer.isStopped }, options);
}

/** Without a search. */
async function ended(
  sequence: Sequence,
  tokens: readonly number[],
  end: Pick<Made, 'isEnded' | 'isStopped'>,
  { answer, lead, cutBack }: AlignOptions,
): Promise<Aligned> {
  if (end.isStopped) await cutBack?.(sequence, [...lead.tokens, ...tokens], answer.text);
  const tokenCount = tokens.length;
  return { tokens, tokenCount, sampledTokenCount: tokenCount, ...end, sequence };
}

async function search(root: Sequence, options: AlignOptions): Promise<Aligned> {
  const { policy, thresholds, answer, stops, lead, cutBack, signal } = options;
  const { text: before } = lead;
  const settled = before.slice(0, before.length - stops.openCount(before.trimStart()));
  const judge = await options.evaluation.judge(settled, signal);
  try {
    const rounds = searchBestOfN(root, {
      ...policy,
      acceptAbove: passingScore({ policy, thresholds }, judge.evaluator),
      maxTokens: options.maxTokens,
      roomTokens: options.roomTokens,
      rule: sentenceRule(policy),
      endTokens: options.endTokens,
      before,
      seed: options.seed,
      judge,
      stops,
      cutBack: cutBack && ((sequence, tokens, text) => cutBack(sequence, [...lead.tokens, ...tokens], text)),
      onText: (text) => answer.push(text),
      signal,
    });
    for (let next = await rounds.next(); ; next = await rounds.next()) {
      if (next.done === true) return next.value;
      options.onRound(next.value);
    }
  } finally {
    judge.close();
  }
}

export function sentenceRule({ sentenceEnd, sentenceTokenLimit }: Policy): SentenceRule {
  return sentenceEnd === 'token' ? sentencesByToken(sentenceTokenLimit) : sentencesByText(sentenceTokenLimit);
}

/** The sentence ends of a context, made on first use: one token set for each kind of rule. */
export class SentenceEnds {
  readonly #model: Model;
  readonly #context: Context;
  readonly #sets = new Map<Policy['sentenceEnd'], Promise<TokenSet>>();

  constructor(model: Model, context: Context) {
    this.#model = model;
    this.#context = context;
  }

  of(policy: Policy): Promise<TokenSet> {
    const known = this.#sets.get(policy.sentenceEnd);
    if (known !== undefined) return known;
    const made = this.#make(policy);
    this.#sets.set(policy.sentenceEnd, made);
    made.catch(() => this.#sets.delete(policy.sentenceEnd));
    return made;
  }

  async #make(policy: Policy): Promise<TokenSet> {
    return await this.#context.createTokenSet(await sentenceRule(policy).endTokens(this.#model));
  }
}
