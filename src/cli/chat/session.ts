/** One chat under way: its conversation, how it decides, and what may be stopped of it. */
import { followAbort } from '../../abort.js';
import { FileError } from '../../errors.js';
import type { Eta } from '../../index.js';
import { tell } from '../../terminal/output.js';
import { columnsOf, createPaint, type Paint } from '../../terminal/paint.js';
import type { Method } from '../../types/policy.js';
import { visibleName } from '../../visible.js';
import { reportLines } from '../answer-report.js';
import { streamAnswer } from '../answer-stream.js';
import { given } from '../model-options.js';
import type { Notices } from '../notices.js';
import { outcomeLines } from '../verdict-text.js';
import { Conversation } from './conversation.js';
import { labelOf, type Picture, readPicture } from './picture.js';
import type { SavedConversations } from './saved-conversation.js';

export interface SessionOptions {
  readonly eta: Eta;
  readonly saved: SavedConversations;
  readonly notices: Notices;
  /** Of every answer. @default random */
  readonly seed?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  /** Of a picture at most. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  readonly signal: AbortSignal;
}

/** How what is told looks, as the terminal is at this moment. */
export interface Form {
  readonly paint: Paint;
  readonly columns: number;
}

export class Session {
  readonly eta: Eta;
  readonly saved: SavedConversations;
  conversation = new Conversation();
  method: Method;
  isOver = false;
  /** Why nothing can be answered any more: stdout takes no more. */
  deadEnd: unknown = null;
  readonly #notices: Notices;
  readonly #seed: number | undefined;
  readonly #stop: readonly string[] | undefined;
  readonly #maxPixels: number | undefined;
  readonly #signal: AbortSignal;
  /** Ends what is under way. */
  #underWay: AbortController | null = null;

  constructor({ eta, saved, notices, seed, stop, maxPixels, signal }: SessionOptions) {
    this.eta = eta;
    this.saved = saved;
    this.method = eta.facts.policy.method;
    this.#notices = notices;
    this.#seed = seed;
    this.#stop = stop;
    this.#maxPixels = maxPixels;
    this.#signal = signal;
  }

  get form(): Form {
    return { paint: createPaint(process.stderr), columns: columnsOf(process.stderr) };
  }

  /** Lines to stderr: stdout is for answers. */
  tell(lines: readonly string[]): void {
    tell(lines.join('\n'));
  }

  /** Pictures for the next question, behind those that are attached already. */
  attach(pictures: readonly Picture[]): void {
    this.conversation.attached = [...this.conversation.attached, ...pictures];
    for (const picture of pictures) {
      const { width, height } = picture.image;
      this.tell([`${visibleName(labelOf(picture))} (${width} x ${height}) goes with the next question.`]);
    }
  }

  /** Reads pictures and attaches them: all, or with the first that cannot be read none. @throws ImageError */
  async show(paths: readonly string[]): Promise<void> {
    await this.#stoppable('no picture was attached', async (signal) => {
      const pictures: Picture[] = [];
      for (const path of paths) pictures.push(await readPicture(path, { signal, maxPixels: this.#maxPixels }));
      this.attach(pictures);
    });
  }

  /**
   * Answers on stdout. A question without an answer leaves the conversation as it was.
   *
   * @throws what `stream` of an Eta throws
   */
  async ask(question: string): Promise<void> {
    await this.#stoppable('question and answer are not kept', async (signal) => {
      const { conversation, method } = this;
      const turns = conversation.turnsWith(question);
      const request = given({ turns, method, seed: this.#seed, stop: this.#stop, signal });
      const result = await streamAnswer(this.eta, request).catch((error: unknown) => {
        if (error instanceof FileError && error.code === 'ERR_FILE_WRITE') this.deadEnd = error;
        throw error;
      });
      conversation.add(question, result);
      const isAnswered = result.verdict.action === 'answered';
      const told = isAnswered
        ? outcomeLines(result, this.form)
        : reportLines(result, { ...this.form, showsRounds: false });
      this.tell(['', ...told]);
      this.#notices.tell();
    });
  }

  /** Ends what is under way, and not the chat; false where nothing is, or it is ending already. */
  stop(): boolean {
    if (this.#underWay === null || this.#underWay.signal.aborted) return false;
    this.#underWay.abort();
    return true;
  }

  async #stoppable(left: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const takeBack = followAbort(this.#signal, controller);
    this.#underWay = controller;
    try {
      await work(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted || this.#signal.aborted) throw error;
      this.tell([`Stopped: ${left}.`]);
    } finally {
      this.#underWay = null;
      takeBack();
    }
  }
}
