/** The body of a request: counted while it arrives, then read as one JSON object. */
import { setImmediate } from 'node:timers/promises';
import { onAbort } from '../abort.js';
import { countValues, type Fields, isFields, withoutNulls } from '../chat-form/index.js';
import { ServerError, throwIfAborted, UsageError } from '../errors.js';
import { describe } from '../options.js';
import { askForBody } from './expectation.js';
import { readLargeJson } from './large-json.js';
import type { Settings } from './options.js';

/** Nesting beyond this is no request, and would exhaust the stack of who reads it. */
const DEEPEST = 64;

/** JSON values of a request: a thousand turns, each with its parts, are fewer; each costs a check. */
const MOST_VALUES = 20_000;

/** Bytes of which the reading is done in steps. */
const LARGE = 2 ** 20;

/** Bytes of bodies that are held at once, so that many large ones cannot fill the memory: as many as this of the largest. */
const HELD_BODIES = 8;

export interface HeldBody {
  readonly fields: Fields;
  /** Once nothing of it is needed. Idempotent. */
  release(): void;
}

/** Reads bodies, and knows how much of them is held. */
export class Bodies {
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  #heldBytes = 0;

  constructor({ maxBodyBytes, bodyTimeoutMs }: Pick<Settings, 'maxBodyBytes' | 'bodyTimeoutMs'>) {
    this.#maxBytes = maxBodyBytes;
    this.#timeoutMs = bodyTimeoutMs;
  }

  /**
   * The fields that a request has, nulls left out; they count as held until they are released.
   *
   * @throws UsageError ERR_INVALID_REQUEST for what is no JSON object; ServerError ERR_BODY_TOO_LARGE, ERR_BUSY, ERR_BODY_TIMEOUT
   */
  async read(request: Request, signal: AbortSignal): Promise<HeldBody> {
    const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json')
      throw invalid(`expected a body with content-type application/json, received ${describe(type)}`);
    const held = { bytes: 0 };
    const release = () => {
      this.#heldBytes -= held.bytes;
      held.bytes = 0;
    };
    try {
      return { fields: await fieldsOf(await this.#read(request, held, signal)), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #read(request: Request, held: { bytes: number }, signal: AbortSignal): Promise<Uint8Array> {
    const said = Number(request.headers.get('content-length') ?? 0);
    if (said > this.#maxBytes) throw this.#tooLarge();
    askForBody(request);
    const reader = request.body?.getReader();
    if (reader === undefined) throw invalid('expected one JSON object, received no body');
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reader.cancel().catch(() => undefined); // ends the read that waits
    }, this.#timeoutMs);
    // Whoever leaves, or a server that closes, waits for no body.
    const takeBack = onAbort(signal, () => void reader.cancel().catch(() => undefined));
    const pieces: Uint8Array[] = [];
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throwIfAborted(signal);
          throw invalid('expected a whole body, received one that broke off', cause);
        });
        throwIfAborted(signal);
        if (isLate) throw this.#tooSlow();
        if (done) return Buffer.concat(pieces, held.bytes);
        held.bytes += value.length;
        this.#heldBytes += value.length;
        if (held.bytes > this.#maxBytes) throw this.#tooLarge();
        if (this.#heldBytes > HELD_BODIES * this.#maxBytes) throw tooMuchHeld();
        pieces.push(value);
      }
    } catch (error) {
      await reader.cancel().catch(() => undefined);
      throw error;
    } finally {
      clearTimeout(timer);
      takeBack();
    }
  }

  #tooLarge(): ServerError {
    return new ServerError(
      'ERR_BODY_TOO_LARGE',
      `Expected a body of at most ${this.#maxBytes} bytes, received more. Shrink the pictures: a model sees a few hundred pixels of them.`,
    );
  }

  #tooSlow(): ServerError {
    return new ServerError(
      'ERR_BODY_TIMEOUT',
      `Expected a body within ${this.#timeoutMs / 1000} seconds, received less of it.`,
    );
  }
}

function tooMuchHeld(): ServerError {
  return new ServerError(
    'ERR_BUSY',
    'Expected room for another body, received it beside as many as the server holds at once. Ask again in a few seconds.',
  );
}

async function fieldsOf(bytes: Uint8Array): Promise<Fields> {
  if (await holdsTooMany(bytes))
    throw invalid(`expected at most ${MOST_VALUES} values, received more. Shorten the conversation`);
  const value = await jsonOf(bytes);
  if (!isFields(value)) throw invalid(`expected one JSON object, received ${describe(value)}`);
  return withoutNulls(value) as Fields;
}

/** Of a large one in steps, so that others are answered meanwhile. */
async function jsonOf(bytes: Uint8Array): Promise<unknown> {
  try {
    if (bytes.length <= LARGE) {
      const small: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      checkDepth(small, DEEPEST);
      return small;
    }
    const large = await readLargeJson(bytes);
    checkDepth(large.value, DEEPEST);
    return await large.whole();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw invalid(`expected one JSON object in UTF-8, received something else (${reasonOf(cause)})`, cause);
  }
}

/** Counted in turns of the event loop. */
async function holdsTooMany(bytes: Uint8Array): Promise<boolean> {
  const counting = countValues(bytes, MOST_VALUES);
  for (;;) {
    const { done, value } = counting.next();
    if (done) return value;
    await setImmediate();
  }
}

/** Without what was sent: the parser's message quotes it. */
function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'no valid JSON';
  return cause instanceof RangeError ? 'nested too deep' : 'no UTF-8';
}

function checkDepth(value: unknown, left: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (left === 0) throw invalid(`expected at most ${DEEPEST} levels of nesting, received more`);
  for (const field of Object.values(value)) checkDepth(field, left - 1);
}

function invalid(message: string, cause?: unknown): UsageError {
  return new UsageError('ERR_INVALID_REQUEST', `request: ${message}.`, { cause });
}
