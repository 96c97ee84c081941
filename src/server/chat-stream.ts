/** A chat completion piece by piece: what happens, as chunks of the API. */
import type { Fields } from '../chat-form/index.js';
import type { EtaEvent } from '../index.js';
import type { Notice } from '../types/notice.js';
import type { Told } from './answer.js';
import type { Listener } from './answers.js';
import { etaPart, finishReason, type Heading, moderationPart, usageOf } from './chat-answer.js';
import type { ChatRequest } from './chat-request.js';
import type { EventSender } from './sse.js';

export class ChunkWriter implements Listener {
  readonly #chat: ChatRequest;
  readonly #heading: Heading;
  readonly #sender: EventSender;

  constructor(chat: ChatRequest, heading: Heading, sender: EventSender) {
    this.#chat = chat;
    this.#heading = heading;
    this.#sender = sender;
    for (const index of chat.seeds.keys()) this.#send(index, { role: 'assistant', content: '', refusal: null });
  }

  onNotice(index: number, notice: Notice): void {
    this.#send(index, {}, { eta: { notice } });
  }

  onEvent(index: number, event: EtaEvent): void {
    if (event.type === 'text') {
      this.#send(index, { content: event.text });
    } else if (this.#chat.includes?.has('events')) this.#send(index, {}, { eta: { event } });
  }

  onTold(index: number, told: Told): void {
    const delta = told.refusal === null ? {} : { refusal: told.refusal };
    this.#send(index, delta, { finish_reason: finishReason(told), ...etaPart(told, this.#chat) });
  }

  end(answers: readonly Told[]): void {
    const moderation = moderationPart(answers, this.#chat, this.#heading.model);
    const usage = this.#chat.includesUsage ? { usage: usageOf(answers) } : {};
    if (this.#chat.includesUsage || this.#chat.moderation !== undefined) this.#write([], { ...usage, ...moderation });
    this.#sender.done();
  }

  #send(index: number, delta: Fields, more: Fields = {}): void {
    const usage = this.#chat.includesUsage ? { usage: null } : {};
    this.#write([{ index, delta, logprobs: null, finish_reason: null, ...more }], usage);
  }

  #write(choices: readonly Fields[], more: Fields): void {
    const { id, created, model } = this.#heading;
    this.#sender.send({ id, object: 'chat.completion.chunk', created, model, choices, ...more });
  }
}
