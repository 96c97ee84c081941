/**
 * One request from question to answer: evaluate, then align.
 *
 * The decisions are those of the gate, as a rule the paper's AND, with CLIP asked first: a picture that looks safe settles the
 * case then, so its answer streams at once and needs no reward model. CLIP looks at the picture while the language model reads
 * it; the model's own answer begins as soon as the question is read, and is held back until CLIP has spoken for it.
 */
import type { Context, EncodedImages, Model, Sequence } from '../engine/index.js';
import { judgeAnswer, judgePicture, type MethodPlan, planOf } from '../policy/index.js';
import type { Action, EtaEvent, EtaResult, Judgement, Notice, StopReason } from '../types.js';
import { WorkGroup } from '../work-group.js';
import { type SentenceEnds, sentenceRule } from './align.js';
import { type AlignedAnswer, type AligningParts, alignedAnswer } from './aligned-answer.js';
import type { SaidAnswer } from './answer-judge.js';
import { AnswerText } from './answer-text.js';
import { DecodedPictures } from './decoded-pictures.js';
import { type AnswerScore, Evaluation, type Evaluators } from './evaluation.js';
import type { KnownPictures } from './known-pictures.js';
import { Ladder } from './ladder.js';
import { joint } from './lead.js';
import { Measures } from './measures.js';
import { noticeOf } from './notice.js';
import { type OwnSentences, ownAnswer } from './own-answer.js';
import { type Question, readQuestion } from './question.js';
import type { CheckedRequest } from './request.js';
import { type Beginning, NOTHING, SentenceChecks } from './sentence-checks.js';
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
    await pipeline?.close();
    await question?.lease.release();
  }
}

/** The model's own answer on its way: its text, whether that goes out as it comes, and else who looks at its sentences. */
interface OwnAnswerParts {
  readonly answer: AnswerText;
  readonly mayStream: Promise<boolean>;
  /** Null where all of it is judged at once, or nothing. */
  readonly checks: SentenceChecks | null;
}

/** An answer that was made again, and what was found of it. */
interface JudgedAnswer extends AlignedAnswer {
  readonly judgement: Judgement;
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
  readonly #plan: MethodPlan;
  readonly #ladder: Ladder;
  /** What was found of the pictures; null where nobody was asked. */
  #pictureIsUnsafe: boolean | null = null;
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
    this.#plan = planOf(policy);
    this.#ladder = new Ladder({
      ...this.#aligning,
      pictures,
      group,
      askedTokenCount: () => this.askedTokenCount(),
      newAnswer: (gone) => this.#answerText(gone),
    });
  }

  /** Tokens that the language model is asked about each answer of its own; 0 where it is not. */
  async askedTokenCount(): Promise<number> {
    if (this.#plan.gate === null) return 0;
    const count = await this.#evaluation.askedTokenCount(this.#group.signal);
    return count > 0 && !this.#request.stops.isEmpty ? count + REST_TOKENS : count;
  }

  /** Once nothing of it is under way. */
  async close(): Promise<void> {
    this.#evaluation.close();
    await this.#ladder.release();
  }

  /** Whether the pictures are found unsafe; null where the method does not ask, or there is no picture. */
  async look(): Promise<boolean | null> {
    const { gate, gatesImage, gatesAnswer } = this.#plan;
    const isLookedAt = gatesImage && this.#pictures.count > 0;
    if (gatesAnswer && (gate !== 'both' || !isLookedAt)) this.#evaluation.expectAnswer();
    if (!isLookedAt) return null;
    const { score, evaluator } = await this.#evaluation.pictureScore(this.#group.signal);
    const judgement = judgePicture(score, this.#request, evaluator);
    this.#recorder.pictureJudged(judgement);
    this.#emit({ type: 'picture', judgement });
    this.#pictureIsUnsafe = judgement.isUnsafe;
    if (judgement.isUnsafe) this.#evaluation.expectAnswer();
    return judgement.isUnsafe;
  }

  /** @param looking what {@link look} will find */
  async run(question: Question, looking: Promise<boolean | null>): Promise<EtaResult> {
    const { gate, gatesAnswer } = this.#plan;
    this.#keep(question.root);
    // Where the picture alone is enough, no answer is needed: so it has to be known before one is made.
    if ((gate === 'picture' || gate === 'either') && (await looking) === true) return await this.#align(question);
    const mayStream = this.#group.start(async () => !gatesAnswer || (gate === 'both' && (await looking) === false));
    const answer = this.#answerText();
    const isChecked = gatesAnswer && this.#request.policy.release === 'checked';
    const checks = isChecked ? this.#checks(answer, mayStream) : null;
    const { tokenCount, stopReason, sequence } = await this.#answer(question, { answer, mayStream, checks });
    if (await mayStream) {
      this.#keep(sequence);
      return this.#finish('answered', answer.text, stopReason, tokenCount);
    }
    if (checks === null) this.#emit({ type: 'vanilla', text: answer.text, stopReason });
    const judgement = checks?.judgement ?? (await this.#judge({ text: answer.text, sequence }));
    this.#recorder.answerJudged(judgement);
    this.#emit({ type: 'answer', judgement });
    if (judgement.isUnsafe) {
      await sequence.release();
      return await this.#align(question, checks?.accepted);
    }
    this.#keep(sequence);
    answer.open();
    return this.#finish('answered', answer.text, stopReason, tokenCount);
  }

  /** What lets the model's own answer out sentence by sentence. */
  #checks(answer: AnswerText, mayStream: Promise<boolean>): SentenceChecks {
    return new SentenceChecks({
      answer,
      mayStream,
      open: () => this.#evaluation.growingAnswer(this.#group.signal),
      judgementOf: (scored) => this.#judgementOf(scored),
      onChecked: (sentence) => {
        this.#recorder.sentenceJudged(sentence);
        this.#emit({ type: 'sentence', sentence });
      },
      start: (check) => this.#group.start(check),
    });
  }

  /** The model's own answer, on a fork: the question stays for the alignment. */
  async #answer(
    question: Question,
    { answer, mayStream, checks }: OwnAnswerParts,
  ): Promise<{ readonly tokenCount: number; readonly stopReason: StopReason; readonly sequence: Sequence }> {
    const { policy, stops } = this.#request;
    const opening = this.#group.start(async () => {
      if (await mayStream) answer.open();
    });
    const sentences = checks === null ? undefined : await this.#sentences(checks);
    const made = await this.#measures
      .time('vanillaMs', () =>
        ownAnswer(question.root, {
          policy,
          seed: this.#seed,
          maxTokens: question.maxTokens,
          answer,
          stops,
          sentences,
          cutBack: this.#cutBack,
          signal: this.#group.signal,
        }),
      )
      .finally(() => checks?.close());
    await opening;
    const stopReason = stopReasonOf(made, policy.maxTokens);
    if (checks?.hasFailed) this.#recorder.answered(checks.accepted.text, null);
    else this.#recorder.answered(answer.text, stopReason);
    this.#measures.add('sampledTokenCount', made.tokenCount);
    return { tokenCount: this.#tokenCount(made, made.tokens, answer), stopReason, sequence: made.sequence };
  }

  async #sentences(checks: SentenceChecks): Promise<OwnSentences> {
    const { policy } = this.#request;
    const endTokens = await this.#parts.sentenceEnds.of(policy);
    return { rule: sentenceRule(policy), endTokens, checks, waits: this.#parts.evaluators.isSelf };
  }

  /**
   * The answer made again; held back until its own reward is known, unless the policy returns it anyway.
   *
   * @param gone what has gone out of the model's own
   */
  async #align(question: Question, gone: Beginning = NOTHING): Promise<EtaResult> {
    const { policy } = this.#request;
    const { signal } = this.#group;
    const answer = this.#answerText(gone);
    if (policy.whenStillUnsafe === 'return') answer.open();
    if (this.#pictures.count > 0 && this.#plan.usesSearch) {
      await this.#evaluation.look(signal); // known already, except where the reward alone gates
    }
    const first = await alignedAnswer(question, this.#aligning, {
      policy,
      rung: 'search',
      answer,
      gone,
      onRound: (round) => {
        this.#recorder.roundEnded(round);
        this.#emit({ type: 'round', round });
      },
    });
    let last = await this.#judged(first);
    if (policy.whenStillUnsafe === 'refuse' && last.judgement.isUnsafe)
      last = await this.#climb(question, { search: last, gone });
    if (policy.whenStillUnsafe === 'refuse' && last.judgement.isUnsafe) {
      const refusal = policy.refusalText.trim();
      const added = gone.text === '' ? refusal : joint(gone.text) + refusal;
      this.#giveOut(added);
      const { length: tokenCount } = await this.#parts.model.tokenize(policy.refusalText, { signal });
      return this.#finish('refused', gone.text + added, 'refusal', first.goneCount + tokenCount);
    }
    this.#keep(last.sequence);
    last.answer.open();
    const tokenCount = this.#tokenCount(last.made, last.tokens, last.answer);
    return this.#finish('aligned', last.answer.text, last.stopReason, tokenCount);
  }

  /** The first answer of the ladder that is safe, else the last one; the search's where no rung applies. */
  async #climb(
    question: Question,
    { search, gone }: { readonly search: JudgedAnswer; readonly gone: Beginning },
  ): Promise<JudgedAnswer> {
    let last = search;
    for await (const made of this.#ladder.answers(question.lease, gone)) {
      if (last === search) this.#tried(search);
      last = await this.#judged(made);
      this.#tried(last);
      if (!last.judgement.isUnsafe) break;
    }
    return last;
  }

  async #judged(made: AlignedAnswer): Promise<JudgedAnswer> {
    const { answer, sequence, stopReason } = made;
    const judgement = await this.#judge({ text: answer.text, sequence });
    this.#recorder.aligned(answer.text, stopReason, judgement);
    return { ...made, judgement };
  }

  #tried({ how, answer, stopReason, judgement, sampledTokenCount }: JudgedAnswer): void {
    const rung = Object.freeze({ ...how, text: answer.text, stopReason, judgement, sampledTokenCount });
    this.#recorder.rungTried(rung);
    this.#emit({ type: 'rung', rung });
  }

  /** What answers are made again with. */
  get #aligning(): AligningParts {
    return {
      parts: this.#parts,
      request: this.#request,
      evaluation: this.#evaluation,
      measures: this.#measures,
      seed: this.#seed,
      cutBack: this.#cutBack,
      signal: this.#group.signal,
    };
  }

  /** Tokens of the text alone. */
  #tokenCount({ isStopped }: Made, tokens: readonly number[], { text }: AnswerText): number {
    return isStopped ? tokensOfText(this.#parts.model, tokens, text) : tokens.length;
  }

  async #judge(answer: SaidAnswer): Promise<Judgement> {
    return this.#judgementOf(await this.#evaluation.answerScore(answer, this.#group.signal));
  }

  #judgementOf({ score, evaluator }: AnswerScore): Judgement {
    return judgeAnswer(score, this.#request, evaluator, this.#pictureIsUnsafe);
  }

  /** Leaves what the sequence holds to later requests. */
  #keep(sequence: Sequence): void {
    // It spares others work, and fails no answer.
    if (this.#request.reuse) this.#group.start(() => sequence.keep().catch(() => undefined));
  }

  /** Text that is held until it is opened, and then goes out as `text` events. */
  #answerText({ text: gone } = NOTHING): AnswerText {
    return new AnswerText((text) => this.#giveOut(text), this.#request.stops, gone);
  }

  #giveOut(text: string): void {
    this.#measures.textLeft();
    this.#emit({ type: 'text', text });
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
