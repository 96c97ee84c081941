/** The model's own answer: made on a fork, so that the question stays for the alignment. */
import { GREEDY, type Pause, type SamplerOptions, type Sequence, type TokenSet } from '../engine/index.js';
import { AbortError, throwIfAborted } from '../errors.js';
import type { Policy } from '../policy/index.js';
import type { SentenceRule, StopTexts } from '../search/index.js';
import type { AnswerText } from './answer-text.js';
import type { Principled } from './principled.js';
import type { SentenceChecks } from './sentence-checks.js';
import type { Made } from './stop-reason.js';
import type { CutBack } from './stopped-answer.js';

/** Where its sentences end, and who hears of it. */
export interface OwnSentences {
  readonly rule: SentenceRule;
  /** Tokens of `rule`, made for the sequence's context. */
  readonly endTokens: TokenSet;
  readonly checks: SentenceChecks;
  /** Whether each is judged before the next begins, because who judges is asked on the sequence itself. */
  readonly waits: boolean;
}

export interface OwnAnswerOptions {
  readonly policy: Pick<Policy, 'answerTemperature' | 'answerTopP'>;
  /** Of the request, the round and the place in it. */
  seed(round: number, index: number): number;
  readonly maxTokens: number;
  /** Gets the text as it is sampled. */
  readonly answer: AnswerText;
  /** What `root` ends with of an answer that goes on, and `answer` holds already. @default nothing */
  readonly before?: readonly number[] | undefined;
  readonly stops: StopTexts;
  /** What it leans towards; released when the answer has ended. @default nothing */
  readonly principled?: Principled | null | undefined;
  /** @default nobody asks about them */
  readonly sentences?: OwnSentences | undefined;
  readonly cutBack: CutBack | null;
  readonly signal: AbortSignal;
}

export interface OwnAnswer extends Made {
  /** As they were sampled, with a stop text's. */
  readonly tokens: readonly number[];
  /** Ends with it; the question in it has no principle. */
  readonly sequence: Sequence;
}

/** @throws AbortError, EngineError */
export async function ownAnswer(root: Sequence, options: OwnAnswerOptions): Promise<OwnAnswer> {
  const { answer, before = [], sentences, principled } = options;
  const [sequence] = (await root.fork(1)) as [Sequence];
  const tokens: number[] = [];
  let isEnded = false;
  try {
    isEnded = await sample(sequence, tokens, options);
  } catch (error) {
    // Of what a check has stopped, only how much it was is still asked.
    if (!sentences?.checks.hasFailed || options.signal.aborted || !(error instanceof AbortError)) throw error;
    return { tokens, tokenCount: sequence.tokenCount - root.tokenCount, isEnded, isStopped: false, sequence };
  } finally {
    await principled?.sequence.release();
  }
  answer.end();
  const { isStopped } = answer;
  if (isStopped) await options.cutBack?.(sequence, [...before, ...tokens], answer.text);
  await sentences?.checks.end(tokens, sequence);
  return { tokens, tokenCount: tokens.length, isEnded, isStopped, sequence };
}

/** @returns whether the model ended it */
async function sample(sequence: Sequence, tokens: number[], options: OwnAnswerOptions): Promise<boolean> {
  const { answer, maxTokens, stops, sentences, principled, signal } = options;
  // Drawn with the principle, held against the question without it, which takes the same tokens.
  const drawn = principled?.sequence ?? sequence;
  const contrast = principled ? { against: sequence, weight: principled.weight } : undefined;
  const until = stops.isEmpty ? undefined : () => answer.isStopped;
  const pauses = sentences && new SentencePauses(sentences);
  const heard = sentences === undefined ? signal : AbortSignal.any([signal, sentences.checks.stop]);
  const onText = (text: string) => answer.push(text);
  const sampler = samplerOf(options);
  let isContinued = false;
  for (;;) {
    const left = maxTokens - tokens.length;
    const pause = pauses?.next();
    const decoding = { sampler, isContinued, maxTokens: left, pause, until, onText, signal: heard };
    const made = await drawn.decode(decoding, contrast);
    for (const token of made.tokens) tokens.push(token);
    if (made.stopReason !== 'paused' || answer.isStopped || tokens.length >= maxTokens)
      return made.stopReason === 'end';
    await sentences?.checks.ended(tokens, sequence);
    throwIfAborted(heard);
    isContinued = true;
  }
}

/** Tells of the sentences that end while the answer goes on, or pauses it there. */
class SentencePauses {
  readonly #sentences: OwnSentences;
  /** Of earlier decodes. */
  #before = '';

  constructor(sentences: OwnSentences) {
    this.#sentences = sentences;
  }

  /** For the next decode of the answer. */
  next(): Pause {
    const { rule, endTokens: set, checks, waits } = this.#sentences;
    const before = this.#before;
    let begin = 0;
    return {
      set,
      accept: (text, tokens) => {
        if (!rule.ends(text.slice(begin), before + text.slice(0, begin))) return false;
        begin = text.length;
        if (waits) this.#before = before + text;
        else checks.ended(tokens, null).catch(() => undefined); // what it throws ends the request
        return waits;
      },
    };
  }
}

/** Candidates draw with the seeds of their rounds, which count from 1. */
function samplerOf({ policy, seed }: OwnAnswerOptions): SamplerOptions {
  const { answerTemperature: temperature, answerTopP: topP } = policy;
  return temperature === 0 ? GREEDY : { temperature, topP, seed: seed(0, 0) };
}
