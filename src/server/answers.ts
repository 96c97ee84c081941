/** The answers of one request: each in a place of the queue, all of them under one deadline. */
import { noticeOf } from '../eta/index.js';
import type { EtaEvent } from '../index.js';
import type { Notice } from '../types/notice.js';
import type { RgbImage } from '../types/picture.js';
import type { Turn } from '../types/turn.js';
import { Answer, type Prepared, type Told } from './answer.js';
import { type ChatRequest, evaluationOf } from './chat-request.js';
import { isMiniature } from './gallery.js';
import type { Service, Visit } from './service.js';

export interface Listener {
  /** Told before anything else of an answer, where there is something to say of it. */
  onNotice(index: number, notice: Notice): void;
  /** What happens on the way; `done` is not told. */
  onEvent(index: number, event: EtaEvent): void;
  onTold(index: number, told: Told): void;
}

interface PreparedPictures extends Prepared {
  /** Once nobody needs their pixels. */
  release(): void;
}

/**
 * All answers, in the order of their seeds. With the first that fails the others end.
 *
 * @throws ServerError; what the library throws
 */
export async function answersOf(
  service: Service,
  chat: ChatRequest,
  { deadline, record }: Visit,
  listener: Listener,
): Promise<Told[]> {
  const { queue } = service;
  queue.checkRoom(chat.seeds.length);
  let preparing: Promise<PreparedPictures> | undefined;
  const arrivedMs = record.ms;
  const works = chat.seeds.map((seed, index) =>
    queue.run(deadline.signal, async () => {
      record.waitedMs = Math.max(record.waitedMs, record.ms - arrivedMs);
      preparing ??= prepare(service, chat, deadline.signal);
      const onEvent = (event: EtaEvent) => {
        if (event.type === 'text') record.textLeft();
        listener.onEvent(index, event);
      };
      const prepared = await preparing;
      if (prepared.notice !== null) listener.onNotice(index, prepared.notice);
      const answer = new Answer({ service, chat, prepared, signal: deadline.signal, onEvent });
      const told = await answer.make(seed);
      listener.onTold(index, told);
      return told;
    }),
  );
  try {
    return await Promise.all(works);
  } catch (error) {
    const told = deadline.told(error);
    deadline.leave();
    await Promise.allSettled(works);
    throw told;
  } finally {
    const prepared = await preparing?.catch(() => undefined); // who waited for it was told
    prepared?.release();
  }
}

/** Pictures are decoded once, and judged before anything is generated where a request blocks those that are flagged. */
async function prepare(service: Service, chat: ChatRequest, signal: AbortSignal): Promise<PreparedPictures> {
  const { eta } = service;
  const { turns, release } = await service.show(chat.turns, signal);
  try {
    const notice = chat.includes !== null && isMiniature(eta.facts.models) ? await miniatureNotice(turns) : null;
    if (!chat.blocks.input) return { turns, release, notice, picture: null };
    const { picture } = await eta.evaluate(evaluationOf(chat, turns, undefined, signal));
    return { turns, release, notice, picture };
  } catch (error) {
    release();
    throw error;
  }
}

async function miniatureNotice(turns: readonly Turn[]): Promise<Notice | null> {
  const pictures = turns.flatMap(({ images = [] }) => images) as readonly RgbImage[]; // they are shown
  return await noticeOf(pictures.map((picture) => ({ pixels: async () => picture })));
}
