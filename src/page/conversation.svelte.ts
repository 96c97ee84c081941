/** Questions that follow each other. */
import { Exchange, type KeptExchange } from './exchange.svelte.js';
import { newId } from './id.js';
import type { Picture } from './picture.js';
import type { ContentPart, Message } from './wire.js';

/** As it is kept. */
export interface KeptConversation {
  readonly id: string;
  /** As `Date.now()`. */
  readonly changedAt: number;
  readonly exchanges: readonly KeptExchange[];
}

/** What a list of conversations shows of one. */
export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  readonly changedAt: number;
  /** Of its texts and pictures, in characters. */
  readonly size: number;
}

const TITLE_LENGTH = 80;

export class Conversation {
  readonly id: string;
  exchanges = $state<Exchange[]>([]);

  constructor(kept?: KeptConversation) {
    this.id = kept?.id ?? newId();
    this.exchanges = (kept?.exchanges ?? []).map((exchange) => new Exchange(exchange, exchange));
  }

  get last(): Exchange | undefined {
    return this.exchanges.at(-1);
  }

  /** Takes an exchange and all that follow it away. */
  cutBefore(exchange: Exchange): void {
    const at = this.exchanges.indexOf(exchange);
    if (at >= 0) this.exchanges.splice(at);
  }

  /** The turns up to an exchange, whose question is the last. What was never answered is not told. */
  messages(upTo: Exchange): Message[] {
    return [
      ...this.#before(upTo).flatMap((exchange): Message[] => [
        asked(exchange),
        { role: 'assistant', content: exchange.text },
      ]),
      asked(upTo),
    ];
  }

  /** Of those turns, in their order. */
  pictures(upTo: Exchange): Picture[] {
    return [...this.#before(upTo), upTo].flatMap(({ pictures }) => pictures);
  }

  #before(exchange: Exchange): Exchange[] {
    return this.exchanges.slice(0, this.exchanges.indexOf(exchange)).filter(({ isFollowed }) => isFollowed);
  }

  toKept(): KeptConversation {
    return { id: this.id, changedAt: Date.now(), exchanges: this.exchanges.map((exchange) => exchange.toKept()) };
  }
}

function asked({ pictures, question }: Exchange): Message {
  if (pictures.length === 0) return { role: 'user', content: question };
  const images = pictures.map(({ dataUrl }): ContentPart => ({ type: 'image_url', image_url: { url: dataUrl } }));
  return { role: 'user', content: [...images, { type: 'text', text: question }] };
}

export function summaryOf({ id, changedAt, exchanges }: KeptConversation): ConversationSummary {
  const first = exchanges[0]?.question.trim() ?? '';
  const size = exchanges.reduce(
    (sum, { question, text, pictures }) =>
      sum + question.length + text.length + pictures.reduce((all, { dataUrl }) => all + dataUrl.length, 0),
    0,
  );
  return { id, changedAt, size, title: first.replace(/\s+/g, ' ').slice(0, TITLE_LENGTH) };
}
