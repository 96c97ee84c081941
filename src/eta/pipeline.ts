/**
 * One request from question to answer: evaluate, then align.
 *
 * The decisions are the paper's AND gate with CLIP asked first: a picture that looks safe settles the case, so its answer
 * streams at once and needs no reward model. CLIP looks at the picture while the language model reads it; the model's own
 * answer begins as soon as the question is read, and is held back until CLIP has spoken for it.
 */
import type { Context, EncodedImages, Model, Sequence } from '../engine/index.js';
import { judgeAnswer, judgePicture, METHOD_PLANS } from '../policy/index.js';
import type { StopTexts } from '../search/index.js';
import type { Action, EtaEvent, EtaResult, Judgement, Notice, StopReason } from '../types.js';
import { WorkGroup } from '../work-group.js';
import { align, type SentenceEnds } from './align.js';
import type { SaidAnswer } from './answer-judge.js';
import { AnswerText } from './answer-text.js';
import { DecodedPictures } from './decoded-pictures.js';
import { Evaluation, type Evaluators } from './evaluation.js';
import type { KnownPictures } from './known-pictures.js';
import { Measures } from './measures.js';
import { noticeOf } from './notice.js';
import { ownAnswer } from './own-answer.js';
import { type Question, readQuestion } from './question.js';
import type { CheckedRequest } from './request.js';
import { type Made, stopReasonOf } from './stop-reason.js';
import { type CutBack, cutBack, REST_TOKENS, tokensOfText } from './stopped-answer.js';
import { TraceRecorder } from './trace.js';

/** What requests are run with; the Eta that made it owns it all. */
export interface PipelineParts {
  readonly model: Model;
  readonly context: Context;
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

/**
 * Runs a request to its end; `emit` gets every event, `done` last.
 *
 * @throws AbortError within one step of the signal, with every sequence freed; what reading the pictures, the engine and
 * the evaluators throw
 */
export async function runPipeline(
  parts: PipelineParts,
  request: CheckedRequest,
  signal: AbortSignal,
  emit: Emit,
): Promise<EtaResult> {
  const group = new WorkGroup(signal);
  const measures = new Measures();
  let question: Question | undefined;
  let pipeline: Pipeline | undefined;
  try {
    return await group.result(
      group.start(async () => {
        const sources = request.turns.flatMap(({ images = [] }) => images);
        const pictures = new DecodedPictures(sources, parts.files, request.reuse, group);
        const run = new Pipeline(parts, request, pictures, measures, group, emit);
        pipeline = run;
        const looking = group.start(() => run.look());
        const noticing = parts.onNotice === null ? null : group.start(async () => noticeOf(await pictures.all()));
        const askedCount = await run.askedTokenCount();
        question = await readQuestion({ ...parts, ...request, pictures, measures, askedCount, signal: group.signal });
        const notice = await noticing;
        if (notice !== null) group.watch(parts.onNotice?.(notice)); // from here on there will be an answer to speak of
        return await run.run(question, looking);
      }),
    );
  } finally {
    await group.close();
    pipeline?.close();
    await question?.lease.release();
  }
}

class Pipeline {
  readonly #parts: PipelineParts;
  readonly #request: CheckedRequest;
  readonly #pictures: DecodedPictures;
  readonly #measures: Measures;
  readonly #group: WorkGroup;
  readonly #emit: Emit;
  readonly #evaluation: Evaluation;
  readonly #recorder: TraceRecorder;
  readonly #seed: (round: number, index: number) => number;
  /** Where the language model judges what its sequences end with; null where texts are judged. */
  readonly #cutBack: CutBack | null;

  constructor(
    parts: PipelineParts,
    request: CheckedRequest,
    pictures: DecodedPictures,
    measures: Measures,
    group: WorkGroup,
    emit: Emit,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#pictures = pictures;
    this.#measures = measures;
    this.#group = group;
    this.#emit = emit;
    const { policy, turns, reuse } = request;
    this.#evaluation = new Evaluation(
      parts.evaluators,
      { policy, turns, reuse, pictures: () => pictures.all() },
      measures,
    );
    this.#recorder = new TraceRecorder(request);
    this.#seed = (round, index) => parts.deriveSeed(request.seed, round, index);
    const { model, evaluators } = parts;
    this.#cutBack = evaluators.isSelf ? (...stopped) => cutBack(model, ...stopped) : null;
  }

  /** Tokens that the language model is asked about each answer of its own; 0 where it is not. */
  async askedTokenCount(): Promise<number> {
    const { gatesImage, gatesAnswer } = METHOD_PLANS[this.#request.policy.method];
    if (!gatesImage && !gatesAnswer) return 0;
    const count = await this.#evaluation.askedTokenCount(this.#group.signal);
    return count > 0 && !this.#request.stops.isEmpty ? count + REST_TOKENS : count;
  }

  /** Once nothing of it is under way. */
  close(): void {
    this.#evaluation.close();
  }

  /** Whether the pictures are found unsafe; null where the method does not ask, or there is no picture. */
  async look(): Promise<boolean | null> {
    const { gatesImage, gatesAnswer } = METHOD_PLANS[this.#request.policy.method];
    if (!gatesImage || this.#pictures.count === 0) {
      if (gatesAnswer) this.#evaluation.expectAnswer();
      return null;
    }
    const { score, evaluator } = await this.#evaluation.pictureScore(this.#group.signal);
    const judgement = judgePicture(score, this.#request, evaluator);
    this.#recorder.pictureJudged(judgement);
    this.#emit({ type: 'picture', judgement });
    if (judgement.isUnsafe) this.#evaluation.expectAnswer();
    return judgement.isUnsafe;
  }

  /** @param looking what {@link look} will find */
  async run(question: Question, looking: Promise<boolean | null>): Promise<EtaResult> {
    const { gatesImage, gatesAnswer } = METHOD_PLANS[this.#request.policy.method];
    this.#keep(question.root);
    // `pre` alone aligns without an answer to judge, so it alone has to know before it answers.
    if (gatesImage && !gatesAnswer && (await looking) === true) return await this.#align(question);
    const mayStream = (looksUnsafe: boolean | null) => !gatesAnswer || looksUnsafe === false;
    const answer = this.#answerText(this.#request.stops);
    const { tokenCount, stopReason, sequence } = await this.#answer(question, answer, async () =>
      mayStream(await looking),
    );
    if (mayStream(await looking)) {
      this.#keep(sequence);
      return this.#finish('answered', answer.text, stopReason, tokenCount);
    }
    this.#emit({ type: 'vanilla', text: answer.text, stopReason });
    const judgement = await this.#judge({ text: answer.text, sequence });
    this.#recorder.answerJudged(judgement);
    this.#emit({ type: 'answer', judgement });
    if (judgement.isUnsafe) {
      await sequence.release();
      return await this.#align(question);
    }
    this.#keep(sequence);
    answer.open();
    return this.#finish('answered', answer.text, stopReason, tokenCount);
  }

  /** The model's own answer, on a fork: the question stays for the alignment. */
  async #answer(
    question: Question,
    answer: AnswerText,
    mayStream: () => Promise<boolean>,
  ): Promise<{ readonly tokenCount: number; readonly stopReason: StopReason; readonly sequence: Sequence }> {
    const { policy, stops } = this.#request;
    const opening = this.#group.start(async () => {
      if (await mayStream()) answer.open();
    });
    const made = await this.#measures.time('vanillaMs', () =>
      ownAnswer(question.root, {
        policy,
        seed: this.#seed,
        maxTokens: question.maxTokens,
        answer,
        stops,
        cutBack: this.#cutBack,
        signal: this.#group.signal,
      }),
    );
    await opening;
    const stopReason = stopReasonOf(made, policy.maxTokens);
    this.#recorder.answered(answer.text, stopReason);
    this.#measures.add('sampledTokenCount', made.tokenCount);
    return { tokenCount: this.#tokenCount(made, made.tokens, answer), stopReason, sequence: made.sequence };
  }

  /** The answer made again; held back until its own reward is known, unless the policy returns it anyway. */
  async #align(question: Question): Promise<EtaResult> {
    const { policy, thresholds } = this.#request;
    const { signal } = this.#group;
    const answer = this.#answerText(this.#request.stops);
    if (policy.whenStillUnsafe === 'return') answer.open();
    if (this.#pictures.count > 0 && METHOD_PLANS[policy.method].usesSearch) {
      await this.#evaluation.look(signal); // known already, except where the reward alone gates
    }
    const endTokens = await this.#parts.sentenceEnds.of(policy);
    const made = await this.#measures.time('alignMs', () =>
      align(question.root, {
        policy,
        thresholds,
        evaluation: this.#evaluation,
        maxTokens: question.maxTokens,
        roomTokens: question.roomTokens,
        prefixTokens: question.prefixTokens,
        endTokens,
        seed: this.#seed,
        answer,
        stops: this.#request.stops,
        cutBack: this.#cutBack,
        onRound: (round) => {
          this.#recorder.roundEnded(round);
          this.#measures.add('candidateCount', round.candidates.length);
          this.#measures.add('undrawnCandidateCount', round.undrawnCount ?? 0);
          this.#emit({ type: 'round', round });
        },
        signal,
      }),
    );
    answer.end();
    this.#measures.add('sampledTokenCount', made.sampledTokenCount);
    const stopReason = stopReasonOf(made, policy.maxTokens);
    const judgement = await this.#judge({ text: answer.text, sequence: made.sequence });
    this.#recorder.aligned(answer.text, stopReason, judgement);
    if (policy.whenStillUnsafe === 'refuse' && judgement.isUnsafe) {
      const refusal = this.#answerText();
      refusal.push(policy.refusalText);
      refusal.end();
      refusal.open();
      const { length: tokenCount } = await this.#parts.model.tokenize(policy.refusalText, { signal });
      return this.#finish('refused', refusal.text, 'refusal', tokenCount);
    }
    this.#keep(made.sequence);
    answer.open();
    const tokenCount = this.#tokenCount(made, [...question.prefixTokens, ...made.tokens], answer);
    return this.#finish('aligned', answer.text, stopReason, tokenCount);
  }

  /** Tokens of the text alone. */
  #tokenCount({ isStopped }: Made, tokens: readonly number[], { text }: AnswerText): number {
    return isStopped ? tokensOfText(this.#parts.model, tokens, text) : tokens.length;
  }

  async #judge(answer: SaidAnswer): Promise<Judgement> {
    const { score, evaluator } = await this.#evaluation.answerScore(answer, this.#group.signal);
    return judgeAnswer(score, this.#request, evaluator);
  }

  /** Leaves what the sequence holds to later requests. */
  #keep(sequence: Sequence): void {
    // It spares others work, and fails no answer.
    if (this.#request.reuse) this.#group.start(() => sequence.keep().catch(() => undefined));
  }

  /** Text that is held until it is opened, and then goes out as `text` events. */
  #answerText(stops?: StopTexts): AnswerText {
    return new AnswerText((text) => {
      this.#measures.textLeft();
      this.#emit({ type: 'text', text });
    }, stops);
  }

  #finish(action: Action, text: string, stopReason: StopReason, tokenCount: number): EtaResult {
    this.#measures.add('answerTokenCount', tokenCount);
    const verdict = this.#recorder.verdict(action);
    this.#emit({ type: 'verdict', verdict });
    const result: EtaResult = {
      text,
      stopReason,
      verdict,
      trace: this.#recorder.trace(),
      usage: this.#measures.usage,
      timings: this.#measures.timings,
      model: this.#parts.model.name,
      seed: this.#request.seed,
    };
    this.#emit({ type: 'done', result });
    return result;
  }
}
