/** What a guard says of one request: of its pictures before there is an answer, and of its answers as they grow. */
import { orAbort } from '../abort.js';
import type { BorrowedImage, EncodedImages, Model, NativeImage } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { KnownPicture, type Picture } from '../known-picture.js';
import {
  type BranchBackend,
  GrownPrefix,
  type KeptLanes,
  type KeptTokens,
  noStatistics,
  Queue,
  type ScoringStatistics,
} from '../prefixes/index.js';
import type { TextTurn } from '../types/turn.js';
import type { DecisionForm, DecisionQuestion } from './form.js';
import type { GuardPrompt } from './guard-prompt.js';
import { type Decision, scoreOf, scoresOf } from './log-odds.js';

/** What the logits behind a prompt say to either question; null where the form has none. */
export interface Decided {
  readonly answer: Decision;
  readonly picture: Decision | null;
}

/** What is no number is refused as a score. */
const NO_DECISION: Decision = { logOdds: Number.NaN, mass: Number.NaN, likeliestOther: 0 };

/** What a session works with; the guard owns it all. */
export interface GuardParts {
  readonly form: DecisionForm;
  readonly model: Model;
  readonly images: EncodedImages;
  /** That it reads: of the form's as many as it was trained for. */
  readonly maxTokens: number;
  readonly prompt: GuardPrompt;
  readonly lanes: KeptLanes<'logits', Decided>;
  readonly backend: BranchBackend<Decided>;
  /** What every prompt begins with. */
  shared(): Promise<KeptTokens>;
  /** @throws UsageError ERR_DISPOSED */
  checkOpen(): void;
}

interface Conversation {
  readonly turns: readonly TextTurn[];
  /** Whether what is read may be left to later sessions, and taken from earlier ones. */
  readonly reuse: boolean;
  images(): Promise<readonly Picture[]>;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export class GuardSession {
  readonly #parts: GuardParts;
  readonly #conversation: Conversation;
  readonly #statistics = noStatistics();
  readonly #grown: GrownPrefix<Decided>;
  readonly #encoded: BorrowedImage[] = [];
  readonly #queue = new Queue();
  #closed = false;

  /** Not for callers: {@link Guard.open} makes sessions. */
  constructor(parts: GuardParts, conversation: Conversation) {
    this.#parts = parts;
    this.#conversation = conversation;
    this.#grown = new GrownPrefix(parts.backend);
  }

  get statistics(): Readonly<ScoringStatistics> {
    return { ...this.#statistics };
  }

  /**
   * The score of each whole answer, the higher the safer; null for one that is not decided, beside others that are. What
   * they share with each other, and with those of earlier calls, is computed once. Calls on one session run one after
   * another.
   *
   * @throws EvaluatorError ERR_NO_DECISION where none is decided; UsageError ERR_PROMPT_TOO_LONG, ERR_DISPOSED; AbortError; EngineError
   */
  async scores(answers: readonly string[], options: CallOptions = {}): Promise<(number | null)[]> {
    return await this.#inTurn(options, () => this.#scores(answers, options.signal));
  }

  /** The score of the question with its pictures, the higher the less safe. @throws as {@link scores} */
  async pictureScore(options: CallOptions = {}): Promise<number> {
    return await this.#inTurn(options, async () => {
      const { form } = this.#parts;
      if (form.picture === null)
        throw new UsageError(
          'ERR_INVALID_REQUEST',
          `decision: expected a form with a question about the picture, received ${form.name}.`,
        );
      const ids = await this.#ids(form.picture, null, { maxTokens: this.#parts.maxTokens, signal: options.signal });
      this.#checkLength(ids.length);
      const [row] = await this.#rows([ids], options.signal);
      const safety = scoreOf(row?.picture ?? NO_DECISION, form.picture, this.#parts);
      return form.picture.score === 'log-odds' ? -safety : 1 - safety;
    });
  }

  /** Leaves what it kept to others, or drops it, once the work under way has ended. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#queue.run(async () => {
      if (this.#conversation.reuse) this.#grown.leave();
      else this.#grown.drop();
      for (const { image, release } of this.#encoded.splice(0)) {
        this.#parts.lanes.letGo([image]);
        release();
      }
    });
  }

  async #scores(answers: readonly string[], signal: AbortSignal | undefined): Promise<(number | null)[]> {
    const { form } = this.#parts;
    if (answers.length === 0) return [];
    const whole: number[][] = [];
    for (const answer of answers) whole.push(await this.#ids(form.answer, answer, { signal }));
    // An answer whose middle the guard does not see is not judged.
    for (const ids of whole) this.#checkLength(ids.length);
    const rows = await this.#rows(whole, signal);
    const decisions = rows.map(({ answer }) => answer);
    return scoresOf(decisions, form.answer, this.#parts);
  }

  #checkLength(tokenCount: number): void {
    const { maxTokens } = this.#parts;
    if (tokenCount <= maxTokens) return;
    throw new UsageError(
      'ERR_PROMPT_TOO_LONG',
      `The guard reads at most ${maxTokens} tokens, received a conversation of ${tokenCount}, the answer included. Shorten it, ask for fewer tokens (maxTokens), or show fewer pictures.`,
    );
  }

  async #ids(
    question: DecisionQuestion,
    answer: string | null,
    limits: { readonly maxTokens?: number; readonly signal?: AbortSignal | undefined },
  ): Promise<number[]> {
    const { prompt, lanes } = this.#parts;
    const images = await this.#images(question, limits.signal);
    return lanes.idsOf(await prompt.parts(question, { turns: this.#conversation.turns, images, answer }, limits));
  }

  /** Encoded with the first question that sees them. */
  async #images({ prompt }: DecisionQuestion, signal: AbortSignal | undefined): Promise<readonly NativeImage[]> {
    const { model, lanes } = this.#parts;
    if (prompt.form !== 'question' || !prompt.seesPictures || !model.facts.hasVision) return [];
    const images = await this.#conversation.images();
    for (const picture of images.slice(this.#encoded.length)) {
      const encoded = await this.#encode(picture, signal);
      this.#encoded.push(encoded);
      lanes.hold([encoded.image]);
    }
    return this.#encoded.map(({ image }) => image);
  }

  /** One that is kept for others, or one of its own. */
  async #encode(picture: Picture, signal: AbortSignal | undefined): Promise<BorrowedImage> {
    const { model, images } = this.#parts;
    if (this.#conversation.reuse) return await images.borrow(picture, { signal });
    const pixels = await (await KnownPicture.of(picture, signal)).pixels();
    const image = await model.encodeImage(pixels, { signal });
    return { image, release: () => image.dispose() };
  }

  async #rows(sequences: readonly (readonly number[])[], signal: AbortSignal | undefined): Promise<readonly Decided[]> {
    const statistics = this.#statistics;
    const ranBefore = statistics.ranTokenCount;
    const rows = await this.#grown.rows(sequences, await this.#shared(signal), { signal, statistics });
    const wholeCount = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
    statistics.cachedTokenCount += Math.max(0, wholeCount - (statistics.ranTokenCount - ranBefore));
    return rows;
  }

  /** Computed for all: whoever stops waiting stops alone. */
  async #shared(signal: AbortSignal | undefined): Promise<KeptTokens> {
    return await orAbort(this.#parts.shared(), signal);
  }

  async #inTurn<Value>({ signal }: CallOptions, work: () => Promise<Value>): Promise<Value> {
    return await this.#queue.run(async () => {
      this.#parts.checkOpen();
      if (this.#closed) throw new UsageError('ERR_DISPOSED', 'The guard session was closed; open another.');
      return await work();
    }, signal);
  }
}
