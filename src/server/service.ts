/** What every route that asks the models shares: the Eta, its line of requests, and how one of them is taken in. */
import type { Fields } from '../chat-form/index.js';
import type { Eta } from '../index.js';
import type { Turn } from '../types/turn.js';
import { Bodies, type HeldBody } from './body.js';
import { leavingOf } from './connections.js';
import { Deadline } from './deadline.js';
import type { RequestRecord } from './log.js';
import type { Settings } from './options.js';
import { decodePictures, type ShownTurns } from './pictures.js';
import { PixelRoom } from './pixel-room.js';
import { Queue } from './queue.js';

/** A request that was taken in: what it says, what ends it, what is told of it. */
export interface Visit {
  readonly fields: Fields;
  readonly deadline: Deadline;
  readonly record: RequestRecord;
  /** Once nothing of it is under way. Idempotent. */
  close(): void;
}

export class Service {
  readonly eta: Eta;
  readonly settings: Settings;
  readonly queue: Queue;
  readonly #bodies: Bodies;
  readonly #pixels: PixelRoom;
  readonly #closing: AbortSignal;

  /** @param closing fires when running answers have to end */
  constructor(eta: Eta, settings: Settings, closing: AbortSignal) {
    this.eta = eta;
    this.settings = settings;
    this.queue = new Queue(settings.parallel, settings.maxQueueLength);
    this.#bodies = new Bodies(settings);
    this.#pixels = new PixelRoom(Math.max(settings.maxPixels, settings.maxPixelsAtOnce));
    this.#closing = closing;
  }

  /** Name of what answers, as clients see it. */
  get model(): string {
    return this.eta.facts.models.name;
  }

  /** The turns with pixels in place of what was named. @throws as `decodePictures` */
  async show(turns: readonly Turn[], signal: AbortSignal): Promise<ShownTurns> {
    return await decodePictures(turns, this.settings, this.#pixels, signal);
  }

  /** @throws what reading its body throws */
  async open(request: Request, record: RequestRecord): Promise<Visit> {
    const deadline = new Deadline(this.settings.timeoutMs, leavingOf(request), this.#closing);
    let body: HeldBody;
    try {
      body = await this.#bodies.read(request, deadline.signal);
    } catch (error) {
      deadline.close();
      throw deadline.told(error);
    }
    const close = () => {
      deadline.close();
      body.release();
    };
    return { fields: body.fields, deadline, record, close };
  }

  /**
   * Takes a request in and gives `work` a place of the queue for it.
   *
   * @throws as {@link open}; ServerError ERR_BUSY, ERR_TIMEOUT, ERR_STOPPING; what `read` and `work` throw
   */
  async answer<Asked>(
    request: Request,
    record: RequestRecord,
    steps: {
      /** What is asked, checked; before it waits. */
      read(fields: Fields): Asked;
      work(asked: Asked, signal: AbortSignal): Promise<unknown>;
    },
  ): Promise<Response> {
    const visit = await this.open(request, record);
    const { signal } = visit.deadline;
    try {
      const asked = steps.read(visit.fields);
      this.queue.checkRoom(1);
      const arrivedMs = record.ms;
      const answered = await this.queue.run(signal, async () => {
        record.waitedMs = record.ms - arrivedMs;
        return await steps.work(asked, signal);
      });
      return Response.json(answered);
    } catch (error) {
      throw visit.deadline.told(error);
    } finally {
      visit.close();
    }
  }
}
