/** A judge's model behind an OpenAI-compatible endpoint (`/v1/chat/completions`). The key is never printed. */
import { orAbort } from '../abort.js';
import { AbortError, JudgeError, throwIfAborted, UsageError } from '../errors.js';
import { parseOptions } from '../options.js';
import { Room } from '../room.js';
import type { RgbImage } from '../types/picture.js';
import type { ChatModel, ChatTurn, Reply } from './chat-model.js';
import { type Body, completionOf, errorTextOf, readLimited } from './completion.js';
import {
  completionsUrl,
  ENDPOINT_VARIABLES,
  type EndpointOptions,
  endpointSchema,
  missing,
  type ResolvedEndpointOptions,
} from './endpoint-options.js';
import { pause, retryDelayMs } from './retry.js';
import { judgedUrl } from './shown-pictures.js';

type Attempt =
  | { readonly reply: Reply }
  | {
      readonly failure: string;
      readonly isFinal: boolean;
      readonly retryAfter?: string | null;
      readonly cause?: unknown;
    };

/** Another attempt may succeed. */
const TRANSIENT = [408, 409, 425, 429];
/** Shows at once whether pictures are taken at all. */
const GREY: RgbImage = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64 };
/** No request will succeed: key, path or model are wrong. */
const REFUSED = [401, 402, 403, 404, 405, 407];

export class ChatEndpoint implements ChatModel {
  readonly name: string;
  readonly settings: ChatModel['settings'];
  readonly judgesConversations = false;
  readonly seesPictures: boolean;
  readonly #url: URL;
  readonly #key: string | undefined;
  readonly #options: ResolvedEndpointOptions;
  readonly #room: Room;
  readonly #closing = new AbortController();
  /** Until it has replied once, a failure is taken for one of every question: it is not asked again. */
  #hasReplied = false;
  /** The question that goes alone, so that one failure is told, not one of each question; the others wait for it. */
  #first: Promise<Reply> | undefined;

  /**
   * @param environment where the URL, the model and the key stand that the options do not name
   * @throws UsageError ERR_INVALID_OPTION for a URL or model that is missing or wrong
   */
  constructor(options: EndpointOptions = {}, environment: NodeJS.ProcessEnv = process.env) {
    const parsed = parseOptions(endpointSchema, options, 'judge endpoint options');
    const url = parsed.url ?? environment[ENDPOINT_VARIABLES.url];
    const model = parsed.model ?? environment[ENDPOINT_VARIABLES.model];
    this.#url = completionsUrl(url);
    if (model === undefined || model === '') throw missing('model', ENDPOINT_VARIABLES.model);
    const key = environment[parsed.keyVariable];
    this.#key = key === '' ? undefined : key;
    if (this.#key !== undefined && !/^[\x21-\x7e]+$/.test(this.#key))
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `${parsed.keyVariable}: expected a key without blanks, received one with blanks or control characters.`,
      );
    this.#options = parsed;
    this.#room = new Room(parsed.concurrency);
    this.name = model;
    const { maxTokens, temperature, pictures } = parsed;
    this.seesPictures = pictures;
    // A query may hold a secret.
    const address = `${this.#url.origin}${this.#url.pathname}`;
    this.settings = { url: address, model, maxTokens, temperature, ...(pictures && { pictures }) };
  }

  async ask(turns: readonly ChatTurn[], signal?: AbortSignal): Promise<Reply> {
    const closing = this.#closing.signal;
    const either = AbortSignal.any(signal === undefined ? [closing] : [signal, closing]); // a pause listens: one each
    const leave = await this.#room.enter(1, either);
    try {
      while (this.#first !== undefined) await settled(this.#first, either);
      if (this.#hasReplied) return await this.#ask(turns, either);
      this.#first = this.#ask(turns, either);
      return await this.#first.finally(() => {
        this.#first = undefined;
      });
    } finally {
      leave();
    }
  }

  async check(signal?: AbortSignal): Promise<void> {
    const images = this.seesPictures ? [GREY] : [];
    if (!this.#hasReplied) await this.ask([{ role: 'user', text: 'Reply with one word: ready', images }], signal);
  }

  /** Ends what is under way with AbortError. */
  dispose(): Promise<void> {
    this.#closing.abort(new UsageError('ERR_DISPOSED', 'The judge was disposed of.'));
    return Promise.resolve();
  }

  async #ask(turns: readonly ChatTurn[], signal: AbortSignal): Promise<Reply> {
    const body = JSON.stringify(await this.#body(turns));
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal);
      const found = await this.#attempt(body, signal);
      if ('reply' in found) {
        this.#hasReplied = true;
        return found.reply;
      }
      const retryCount = this.#hasReplied ? this.#options.retryCount : 0;
      if (found.isFinal || attempt >= retryCount) throw this.#failed(found, attempt + 1);
      const { retryDelayMs: first, maxRetryDelayMs: most } = this.#options;
      const delayMs = retryDelayMs(found.retryAfter ?? null, { attempt, firstMs: first, nowMs: Date.now() });
      if (delayMs > most) {
        const asked = `${found.failure}, and it asks for a pause of ${Math.round(delayMs / 1000)} s`;
        throw this.#failed({ ...found, failure: asked }, attempt + 1);
      }
      await pause(delayMs, signal);
    }
  }

  async #attempt(body: string, signal: AbortSignal): Promise<Attempt> {
    const { timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        body,
        redirect: 'manual', // the key is for this address alone
        signal: AbortSignal.any([signal, timeout]),
      });
      return this.#read(response, await readLimited(response));
    } catch (cause) {
      if (cause instanceof JudgeError) throw cause;
      if (signal.aborted) throw new AbortError(signal);
      if (timeout.aborted) return { failure: `no reply within ${timeoutMs} ms`, isFinal: false, cause };
      return { failure: `the connection failed (${connectionError(cause)})`, isFinal: false, cause };
    }
  }

  async #body(turns: readonly ChatTurn[]) {
    const { maxTokens, maxTokensField, temperature } = this.#options;
    return {
      model: this.name,
      messages: await Promise.all(turns.map(messageOf)),
      [maxTokensField]: maxTokens,
      ...(temperature === null ? {} : { temperature }),
      stream: false,
    };
  }

  #read(response: Response, body: Body): Attempt {
    const { status } = response;
    const retryAfter = response.headers.get('retry-after');
    if (status >= 300 && status < 400) {
      const where = response.headers.get('location') ?? 'nowhere';
      throw this.#refused(`it redirects to ${where}. Name that address, if it is the one you mean`);
    }
    if (REFUSED.includes(status)) throw this.#refused(`it answers ${status}: ${errorTextOf(body.text)}`);
    if (!response.ok) {
      const isFinal = status < 500 && !TRANSIENT.includes(status);
      return { failure: `it answers ${status}: ${errorTextOf(body.text)}`, isFinal, retryAfter };
    }
    const completion = completionOf(body);
    return typeof completion === 'string' ? { failure: completion, isFinal: false, retryAfter } : { reply: completion };
  }

  #refused(why: string): JudgeError {
    const remedy =
      this.#key === undefined
        ? `No key was sent: ${this.#options.keyVariable} is not set.`
        : `The key came from ${this.#options.keyVariable}.`;
    return new JudgeError(
      'ERR_JUDGE_REFUSED',
      this.#redacted(
        `Expected a judge at ${this.settings['url']} with the model ${this.name}, but ${why}. ${remedy} Check URL, model and key.`,
      ),
    );
  }

  #failed({ failure, cause }: Extract<Attempt, { failure: string }>, attemptCount: number): JudgeError {
    const attempts = attemptCount === 1 ? '1 attempt' : `${attemptCount} attempts`;
    const text = this.#redacted(`the judge at ${this.settings['url']} gave no reply in ${attempts}: ${failure}`);
    if (this.#hasReplied) return new JudgeError('ERR_JUDGE_REPLY', text, { cause });
    const whole = `Expected a reply, but ${text}. It has not replied to anything yet: check that it is an OpenAI-compatible endpoint, and that it runs.`;
    return new JudgeError('ERR_JUDGE_UNREACHABLE', whole, { cause });
  }

  /** Servers echo keys. */
  #redacted(text: string): string {
    return this.#key === undefined ? text : text.replaceAll(this.#key, '***');
  }
}

/** A text alone is one, as every server takes it. */
async function messageOf({ role, text, images = [] }: ChatTurn) {
  if (images.length === 0) return { role, content: text };
  const urls = await Promise.all(images.map(judgedUrl));
  const shown = urls.map((url) => ({ type: 'image_url', image_url: { url } }));
  return { role, content: [...shown, { type: 'text', text }] };
}

/** Waits for another's question. @throws what it failed with, unless it was merely ended; AbortError */
async function settled(first: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await orAbort(
    first.catch((error: unknown) => {
      if (!(error instanceof AbortError)) throw error;
    }),
    signal,
  );
}

/** "ECONNREFUSED 127.0.0.1:9": fetch itself says "fetch failed" whatever happened. */
function connectionError(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return cause.message === '' ? (code ?? cause.name) : cause.message;
}
