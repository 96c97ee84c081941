/** A judge's model behind an OpenAI-compatible endpoint (`/v1/chat/completions`). The key is never printed. */
import { z } from 'zod';
import { AbortError, JudgeError, throwIfAborted, UsageError } from '../errors.js';
import { integer, parseOptions } from '../options.js';
import type { ChatModel, ChatTurn, Reply } from './chat-model.js';
import { type Body, completionOf, errorTextOf, readLimited } from './completion.js';
import { pause, retryDelayMs } from './retry.js';
import { Room } from './room.js';

/** Environment variables that say what the options do not. */
const ENDPOINT_VARIABLES = {
  url: 'ETA_VLM_JUDGE_URL',
  model: 'ETA_VLM_JUDGE_MODEL',
  key: 'ETA_VLM_JUDGE_KEY',
} as const;

const filled = z.string('expected a text').min(1, 'expected a text that is not empty');

/** What a judge behind an endpoint is asked by. */
export interface EndpointOptions {
  /** Address up to the server, to /v1, or to the whole path. @default ETA_VLM_JUDGE_URL */
  url?: string | undefined;
  /** Name of the model there. @default ETA_VLM_JUDGE_MODEL */
  model?: string | undefined;
  /** Environment variable that holds the key; where it is not set no key is sent. @default 'ETA_VLM_JUDGE_KEY' */
  keyVariable?: string | undefined;
  /** Questions under way at once, 1 to 256. @default 4 */
  concurrency?: number | undefined;
  /** Tokens of a reply at most, 1 to 1048576. @default 1024 */
  maxTokens?: number | undefined;
  /** Name of the field that says so: newer models of OpenAI want 'max_completion_tokens'. @default 'max_tokens' */
  maxTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** Temperature, >= 0; null leaves it out, for models that take none. @default 0 */
  temperature?: number | null | undefined;
  /** Milliseconds of one attempt at most, 1 to 3600000. @default 120000 */
  timeoutMs?: number | undefined;
  /**
   * Attempts after the first, 0 to 100, on 408, 409, 425, 429, 5xx, a broken connection, a timeout, or a reply that is none.
   * @default 5
   */
  retryCount?: number | undefined;
  /**
   * Milliseconds of the first pause before another attempt, 0 to 600000; it doubles. A server's Retry-After goes first.
   * @default 1000
   */
  retryDelayMs?: number | undefined;
  /** A server that asks for a longer pause is given up; milliseconds, 0 to 3600000. @default 300000 */
  maxRetryDelayMs?: number | undefined;
}

const endpointSchema = z.strictObject({
  url: filled.optional(),
  model: filled.optional(),
  keyVariable: filled.default(ENDPOINT_VARIABLES.key),
  concurrency: integer(1, 256).default(4),
  maxTokens: integer(1, 2 ** 20).default(1024),
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  temperature: z
    .number('expected a number >= 0, or null')
    .min(0, 'expected a number >= 0, or null')
    .nullable()
    .default(0),
  timeoutMs: integer(1, 3_600_000).default(120_000),
  retryCount: integer(0, 100).default(5),
  retryDelayMs: integer(0, 600_000).default(1000),
  maxRetryDelayMs: integer(0, 3_600_000).default(300_000),
});

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
/** No request will succeed: key, path or model are wrong. */
const REFUSED = [401, 402, 403, 404, 405, 407];

export class ChatEndpoint implements ChatModel {
  readonly name: string;
  readonly settings: ChatModel['settings'];
  readonly judgesConversations = false;
  readonly #url: URL;
  readonly #key: string | undefined;
  readonly #options: z.output<typeof endpointSchema>;
  readonly #room: Room;
  readonly #closing = new AbortController();
  /** Until it has replied once, a failure is taken for one of every question. */
  #hasReplied = false;

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
    const { maxTokens, temperature } = parsed;
    // A query may hold a secret.
    this.settings = { url: `${this.#url.origin}${this.#url.pathname}`, model, maxTokens, temperature };
  }

  async ask(turns: readonly ChatTurn[], signal?: AbortSignal): Promise<Reply> {
    const closing = this.#closing.signal;
    const either = AbortSignal.any(signal === undefined ? [closing] : [signal, closing]); // a pause listens: one each
    const leave = await this.#room.enter(1, either);
    try {
      return await this.#ask(turns, either);
    } finally {
      leave();
    }
  }

  /** Ends what is under way with AbortError. */
  dispose(): Promise<void> {
    this.#closing.abort(new UsageError('ERR_DISPOSED', 'The judge was disposed of.'));
    return Promise.resolve();
  }

  async #ask(turns: readonly ChatTurn[], signal: AbortSignal): Promise<Reply> {
    const { retryCount } = this.#options;
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal);
      const found = await this.#attempt(turns, signal);
      if ('reply' in found) {
        this.#hasReplied = true;
        return found.reply;
      }
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

  async #attempt(turns: readonly ChatTurn[], signal: AbortSignal): Promise<Attempt> {
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
        body: JSON.stringify(this.#body(turns)),
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

  #body(turns: readonly ChatTurn[]) {
    const { maxTokens, maxTokensField, temperature } = this.#options;
    return {
      model: this.name,
      messages: turns.map(({ role, text }) => ({ role, content: text })),
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

/** @throws UsageError ERR_INVALID_OPTION */
function completionsUrl(text: string | undefined): URL {
  if (text === undefined || text === '') throw missing('URL', ENDPOINT_VARIABLES.url);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `judge endpoint: url: expected an http or https URL such as http://127.0.0.1:8080/v1, received ${JSON.stringify(text)}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `judge endpoint: url: expected an address without user and password, received one with them. Put the key into ${ENDPOINT_VARIABLES.key}.`,
    );
  }
  const path = url.pathname.replace(/(?<!\/)\/+$/, '');
  if (!path.endsWith('/chat/completions')) url.pathname = `${path === '' ? '/v1' : path}/chat/completions`;
  return url;
}

function missing(what: string, variable: string): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    `judge endpoint: expected the ${what} as an option or in ${variable}, received none.`,
  );
}

/** "ECONNREFUSED 127.0.0.1:9": fetch itself says "fetch failed" whatever happened. */
function connectionError(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return cause.message === '' ? (code ?? cause.name) : cause.message;
}
