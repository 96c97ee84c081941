/**
 * One request from question to answer: evaluate, then align.
 *
 * The decisions are those of the gate, as a rule the paper's AND, with CLIP asked first: a picture that looks safe settles the
 * case then, so its answer streams at once and needs no reward model. CLIP looks at the picture while the language model reads
 * it; the model's own answer begins as soon as the question is read, and is held back until CLIP has spoken for it.
 */
import type { Sequence } from '../engine/index.js';
import { judgePicture } from '../policy/index.js';
import type { EtaResult } from '../types/result.js';
import type { StopReason } from '../types/stop-reason.js';
import { WorkGroup } from '../work-group.js';
import { sentenceRule } from './align.js';
import { Alignment } from './alignment.js';
import type { AnswerText } from './answer-text.js';
import { DecodedPictures } from './decoded-pictures.js';
import { noticeOf } from './notice.js';
import { type OwnSentences, ownAnswer } from './own-answer.js';
import { type Question, readQuestion } from './question.js';
import type { CheckedRequest } from './request.js';
import { type Emit, type PipelineParts, RequestRun } from './request-run.js';
import { SentenceChecks } from './sentence-checks.js';
import { stopReasonOf } from './stop-reason.js';

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
  let question: Question | undefined;
  let pipeline: Pipeline | undefined;
  try {
    return await group.result(
      group.start(async () => {
        const sources = request.turns.flatMap(({ images = [] }) => images);
        const pictures = new DecodedPictures(sources, parts.files, request.reuse, group);
        const run = new RequestRun({ parts, request, pictures, group, emit });
        const running = new Pipeline(run);
        pipeline = running;
        const looking = group.start(() => running.look());
        const noticing = parts.onNotice === null ? null : group.start(async () => noticeOf(await pictures.all()));
        const askedCount = await run.askedTokenCount();
        const { measures } = run;
        question = await readQuestion({ ...parts, ...request, pictures, measures, askedCount, signal: group.signal });
        const notice = await noticing;
        if (notice !== null) group.watch(parts.onNotice?.(notice)); // from here on there will be an answer to speak of
        return await running.answer(question, looking);
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

class Pipeline {
  readonly #run: RequestRun;
  readonly #alignment: Alignment;

  constructor(run: RequestRun) {
    this.#run = run;
    this.#alignment = new Alignment(run);
  }

  /** Once nothing of it is under way. */
  async close(): Promise<void> {
    this.#run.evaluation.close();
    await this.#alignment.release();
  }

  /** Whether the pictures are found unsafe; null where the method does not ask, or there is no picture. */
  async look(): Promise<boolean | null> {
    const { plan, pictures, evaluation, request, recorder, signal } = this.#run;
    const { gate, gatesImage, gatesAnswer } = plan;
    const isLookedAt = gatesImage && pictures.count > 0;
    if (gatesAnswer && (gate !== 'both' || !isLookedAt)) evaluation.expectAnswer();
    if (!isLookedAt) return null;
    const { score, evaluator } = await evaluation.pictureScore(signal);
    const judgement = judgePicture(score, request, evaluator);
    recorder.pictureJudged(judgement);
    this.#run.emit({ type: 'picture', judgement });
    this.#run.pictureIsUnsafe = judgement.isUnsafe;
    if (judgement.isUnsafe) evaluation.expectAnswer();
    return judgement.isUnsafe;
  }

  /** @param looking what {@link look} will find */
  async answer(question: Question, looking: Promise<boolean | null>): Promise<EtaResult> {
    const { plan, request, group, recorder } = this.#run;
    const { gate, gatesAnswer } = plan;
    this.#run.keep(question.root);
    // Where the picture alone is enough, no answer is needed: so it has to be known before one is made.
    if ((gate === 'picture' || gate === 'either') && (await looking) === true)
      return await this.#alignment.align(question);
    // Whoever judges answers may have to know what the pictures are, so none is judged before that is known.
    const mayStream = group.start(async () => !gatesAnswer || ((await looking) === false && gate === 'both'));
    const answer = this.#run.answerText();
    const isChecked = gatesAnswer && request.policy.release === 'checked';
    const checks = isChecked ? this.#checks(answer, mayStream) : null;
    const { tokenCount, stopReason, sequence } = await this.#own(question, { answer, mayStream, checks });
    if (await mayStream) {
      this.#run.keep(sequence);
      return this.#run.finish('answered', answer.text, stopReason, tokenCount);
    }
    if (checks === null) this.#run.emit({ type: 'vanilla', text: answer.text, stopReason });
    const judgement = checks?.judgement ?? (await this.#run.judge({ text: answer.text, sequence }));
    recorder.answerJudged(judgement);
    this.#run.emit({ type: 'answer', judgement });
    if (judgement.isUnsafe) {
      await sequence.release();
      return await this.#alignment.align(question, checks?.accepted);
    }
    this.#run.keep(sequence);
    answer.open();
    return this.#run.finish('answered', answer.text, stopReason, tokenCount);
  }

  /** What lets the model's own answer out sentence by sentence. */
  #checks(answer: AnswerText, mayStream: Promise<boolean>): SentenceChecks {
    const { evaluation, recorder, group, signal } = this.#run;
    return new SentenceChecks({
      answer,
      mayStream,
      open: () => evaluation.growingAnswer(signal),
      judgementOf: (scored) => this.#run.judgementOf(scored),
      onChecked: (sentence) => {
        recorder.sentenceJudged(sentence);
        this.#run.emit({ type: 'sentence', sentence });
      },
      start: (check) => group.start(check),
    });
  }

  /** The model's own answer, on a fork: the question stays for the alignment. */
  async #own(
    question: Question,
    { answer, mayStream, checks }: OwnAnswerParts,
  ): Promise<{ readonly tokenCount: number; readonly stopReason: StopReason; readonly sequence: Sequence }> {
    const { request, group, measures, recorder, seed, cutBack, signal } = this.#run;
    const { policy, stops } = request;
    const { maxTokens, principled } = question;
    const opening = group.start(async () => {
      if (await mayStream) answer.open();
    });
    const sentences = checks === null ? undefined : await this.#sentences(checks);
    const made = await measures
      .time('vanillaMs', () =>
        ownAnswer(question.root, { policy, seed, maxTokens, answer, stops, principled, sentences, cutBack, signal }),
      )
      .finally(() => checks?.close());
    await opening;
    const stopReason = stopReasonOf(made, policy.maxTokens);
    if (checks?.hasFailed) recorder.answered(checks.accepted.text, null);
    else recorder.answered(answer.text, stopReason);
    measures.add('sampledTokenCount', made.tokenCount);
    return { tokenCount: this.#run.tokenCount(made, made.tokens, answer), stopReason, sequence: made.sequence };
  }

  async #sentences(checks: SentenceChecks): Promise<OwnSentences> {
    const { parts, request } = this.#run;
    const { policy } = request;
    const endTokens = await parts.sentenceEnds.of(policy);
    return { rule: sentenceRule(policy), endTokens, checks, waits: parts.evaluators.isSelf };
  }
}
