/** Aligning: the answer made again behind the interference prefix, by search or greedily. */
import type { Context, Model, Sequence, TokenSet } from '../engine/index.js';
import { METHOD_PLANS, type Policy } from '../policy/index.js';
import { type SentenceRule, searchBestOfN, sentencesByText, sentencesByToken } from '../search/index.js';
import type { RoundTrace } from '../types.js';
import type { Evaluation } from './evaluation.js';
import type { Made } from './stop-reason.js';

export interface AlignOptions {
  readonly policy: Policy;
  readonly evaluation: Evaluation;
  readonly maxTokens: number;
  /** Tokens that there is room for, the last sentence of a search included. */
  readonly roomTokens: number;
  /** Tokens of the interference prefix; none for a method without it. */
  readonly prefixTokens: Int32Array;
  readonly endTokens: TokenSet;
  seed(round: number, index: number): number;
  /** Text that became part of the answer. */
  onText(text: string): void;
  onRound(round: RoundTrace): void;
  readonly signal: AbortSignal;
}

/** The aligned answer's counts, its prefix left out, and its end. */
export interface Aligned extends Made {
  readonly sampledTokenCount: number;
  /** Ends with it, and is still alive. */
  readonly sequence: Sequence;
}

/** Continues `root`, which holds the question, to an aligned answer. */
export async function align(root: Sequence, options: AlignOptions): Promise<Aligned> {
  const { policy, maxTokens, prefixTokens, signal, onText } = options;
  const prefix = prefixTokens.length === 0 ? '' : policy.interferencePrefix;
  if (prefix !== '') {
    await root.prefill([prefixTokens], { signal }); // once; the candidates fork behind it
    onText(prefix);
  }
  if (!METHOD_PLANS[policy.method].usesSearch) {
    const { tokens, stopReason } = await root.decode({ sampler: { temperature: 0 }, maxTokens, signal, onText });
    return {
      tokenCount: tokens.length,
      sampledTokenCount: tokens.length,
      isEnded: stopReason === 'end',
      sequence: root,
    };
  }
  const judge = await options.evaluation.judge(prefix, signal);
  try {
    const rounds = searchBestOfN(root, {
      ...policy,
      maxTokens,
      roomTokens: options.roomTokens,
      rule: sentenceRule(policy),
      endTokens: options.endTokens,
      before: prefix,
      seed: options.seed,
      judge,
      signal,
    });
    for (let next = await rounds.next(); ; next = await rounds.next()) {
      if (next.done === true) return next.value;
      options.onRound(next.value);
      onText(next.value.candidates[next.value.chosen]?.text ?? '');
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
