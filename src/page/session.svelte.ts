/** One visit: the conversation in front, the question under way, and what is kept of it. */
import type { Method, Release } from '../types/policy.js';
import type { EtaResult } from '../types/result.js';
import type { Verdict } from '../types/verdict.js';
import { Conversation, type ConversationSummary } from './conversation.svelte.js';
import { Exchange } from './exchange.svelte.js';
import { type Picture, withName } from './picture.js';
import type { Server } from './server.svelte.js';
import type { AskOptions, Settings } from './settings.svelte.js';
import type { Draft, Shelf } from './shelf.js';
import { type Transport, TransportError } from './transport.js';
import type { AskChunk, AskRequest, ChoiceFacts, Facts } from './wire.js';

interface SessionParts {
  readonly transport: Transport;
  readonly server: Server;
  readonly settings: Settings;
  readonly shelf: Shelf;
}

export const NOTHING_TYPED: Draft = { text: '', pictures: [], refused: [] };

export class Session {
  readonly #parts: SessionParts;
  #controller: AbortController | null = null;
  /** The run under way or the last one: when it has ended, it writes nothing more. */
  #run: { readonly id: string; readonly end: Promise<void> } | null = null;
  conversation = $state.raw(new Conversation());
  kept = $state.raw<readonly ConversationSummary[]>([]);
  /** What is typed and not asked yet. */
  draft = $state.raw<Draft>(NOTHING_TYPED);
  /** Null: keeping works. */
  keepingProblem = $state<string | null>(null);
  running = $state.raw<Exchange | null>(null);
  /** Whose story is shown beside the conversation; null: the last one's. */
  #chosen = $state.raw<Exchange | null>(null);

  constructor(parts: SessionParts) {
    this.#parts = parts;
    if (!parts.shelf.isKeeping)
      this.keepingProblem = 'This browser keeps nothing of this page: conversations end with it. Export what you need.';
  }

  /** The exchange whose story is told. */
  get shown(): Exchange | undefined {
    const { exchanges, last } = this.conversation;
    return this.#chosen !== null && exchanges.includes(this.#chosen) ? this.#chosen : last;
  }

  show(exchange: Exchange): void {
    this.#chosen = exchange;
  }

  /** What the browser kept of the last visit: the list, and what was typed. */
  async restore(): Promise<void> {
    await this.#keep(async ({ shelf }) => {
      this.kept = await shelf.list();
      const draft = await shelf.readDraft();
      this.draft = { ...this.draft, ...draft };
      const id = draft?.follows ?? this.kept[0]?.id;
      const last = id === undefined ? undefined : await shelf.read(id);
      if (last !== undefined) this.conversation = new Conversation(last);
    });
  }

  setDraft(draft: Draft): void {
    this.draft = { ...draft, follows: this.conversation.id };
    void this.#keep(({ shelf }) => shelf.writeDraft(this.draft));
  }

  /** Asks, behind what was asked before. Does nothing while a question is under way. */
  async ask(question: string, pictures: readonly Picture[], options: AskOptions = this.#parts.settings.options) {
    if (this.running !== null || !this.#parts.settings.check()) return;
    const exchange = new Exchange({ question, pictures, options: { ...options } });
    this.setDraft(this.draft);
    this.conversation.exchanges.push(exchange);
    this.#chosen = null;
    const end = this.#answer(exchange);
    this.#run = { id: this.conversation.id, end };
    await end;
  }

  /** Asks in the place of an earlier question; what followed it goes. */
  async askAgain(earlier: Exchange, question: string, pictures: readonly Picture[]): Promise<void> {
    if (this.running !== null || !this.#parts.settings.check()) return;
    this.conversation.cutBefore(earlier);
    await this.ask(question, pictures);
  }

  /** Asks in a new conversation. Does nothing while a question is under way. */
  async askApart(question: string, pictures: readonly Picture[]): Promise<void> {
    if (this.running !== null || !this.#parts.settings.check()) return;
    if (this.conversation.exchanges.length > 0) this.begin();
    await this.ask(question, pictures);
  }

  stop(): void {
    this.#controller?.abort();
  }

  /** A new conversation; the one in front stays kept. */
  begin(): void {
    this.stop();
    this.conversation = new Conversation();
    this.setDraft(this.draft);
  }

  async open(id: string): Promise<void> {
    this.stop();
    await this.#keep(async ({ shelf }) => {
      const kept = await shelf.read(id);
      if (kept !== undefined) this.conversation = new Conversation(kept);
    });
    this.setDraft(this.draft);
  }

  async remove(id: string): Promise<void> {
    if (id === this.conversation.id) this.begin();
    if (id === this.#run?.id) await this.#ended();
    await this.#keep(({ shelf }) => shelf.remove(id));
  }

  async clear(): Promise<void> {
    this.begin();
    this.draft = NOTHING_TYPED;
    await this.#ended();
    await this.#keep(({ shelf }) => shelf.clear());
  }

  /** Once the run that was stopped has written its last; how it ended is told elsewhere. */
  async #ended(): Promise<void> {
    await Promise.allSettled([this.#run?.end]);
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { conversation } = this;
    const { transport, server } = this.#parts;
    const controller = new AbortController();
    this.#controller = controller;
    this.running = exchange;
    server.isBack = false;
    await this.#write(conversation);
    try {
      const answer = new Answer(exchange);
      const request = requestOf(conversation, exchange, server.facts);
      for await (const chunk of transport.ask(request, controller.signal)) answer.hear(chunk);
      exchange.finish(answer.result(), answer.verdict);
    } catch (error) {
      if (controller.signal.aborted) exchange.status = 'stopped';
      else if (error instanceof TransportError) this.#fail(conversation, exchange, error);
      else throw error;
    } finally {
      this.running = null;
      this.#controller = null;
      await this.#write(conversation);
    }
  }

  #fail(conversation: Conversation, exchange: Exchange, error: TransportError): void {
    const { code } = error;
    exchange.status = 'failed';
    exchange.failure = { code, message: withName(error, conversation.pictures(exchange)) };
    if (code === 'unreachable' || code === 'broken' || code === 'key') void this.#parts.server.watch();
  }

  async #write(conversation: Conversation): Promise<void> {
    if (conversation.exchanges.length > 0) await this.#keep(({ shelf }) => shelf.write(conversation.toKept()));
  }

  /** What cannot be kept is said; it stops nothing. */
  async #keep(work: (parts: SessionParts) => Promise<void>): Promise<void> {
    try {
      await work(this.#parts);
      this.kept = await this.#parts.shelf.list();
    } catch (error) {
      const why = error instanceof DOMException ? error.name : String(error);
      this.keepingProblem = `This browser could not keep the conversation (${why}). Export what you need.`;
    }
  }
}

/** Where the policy is locked, the server shows nothing that was held back, and takes no method, candidates or release. */
function requestOf(conversation: Conversation, exchange: Exchange, facts: Facts | null): AskRequest {
  const isLocked = facts?.isPolicyLocked === true;
  const { method, candidateCount, release, seed } = exchange.options;
  return {
    messages: conversation.messages(exchange),
    stream: true,
    ...(seed === null ? {} : { seed }),
    eta: {
      include: isLocked ? ['verdict', 'timings'] : ['events', 'trace', 'verdict', 'timings'],
      ...(method === null || isLocked ? {} : { method }),
      ...(candidateCount === null || isLocked ? {} : { candidateCount }),
      ...(mayName(release, method ?? facts?.method) && !isLocked ? { release } : {}),
    },
  };
}

/** A method that judges no answer of the model's own takes no other way out for it. */
function mayName(release: Release | null | undefined, method: Method | undefined): release is Release {
  return (release ?? null) !== null && method !== 'vanilla' && method !== 'pre';
}

/** The answer of a stream, as it comes. */
class Answer {
  readonly #exchange: Exchange;
  #facts: ChoiceFacts = {};

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  hear({ choices }: AskChunk): void {
    for (const { delta, eta } of choices) {
      this.#exchange.status = 'answering';
      this.#exchange.text += delta.content ?? '';
      const { text } = this.#exchange;
      // A sentence in the answer's place, or behind what had gone out of it.
      if (delta.refusal) this.#exchange.text += text === '' ? delta.refusal : `\n\n${delta.refusal}`;
      if (eta?.event !== undefined) this.#exchange.hear(eta.event);
      if (eta?.notice !== undefined) this.#exchange.isBeyond = true;
      if (eta?.verdict !== undefined) this.#facts = eta;
    }
  }

  /** Null where the server told none. */
  get verdict(): Verdict | null {
    return this.#facts.verdict ?? null;
  }

  /** As the library gives it; null where the server told less than it was asked for. */
  result(): EtaResult | null {
    const { verdict, trace, timings, usage, seed, model, stopReason } = this.#facts;
    if (!verdict || !trace || !timings || !usage || seed === undefined || !model || !stopReason) return null;
    return { text: this.#exchange.text, stopReason, verdict, trace, usage, timings, model, seed };
  }
}
