/** The models behind `eta-vlm serve`, at addresses beside the page's own. */
import { dataUrlOf, FETCHING_MS } from './picture.js';
import { eventData } from './server-events.js';
import { type Transport, TransportError } from './transport.js';
import type { AskChunk, AskRequest, Facts, Failure, Gallery } from './wire.js';

const UNREACHABLE: Failure = {
  code: 'unreachable',
  message: 'The server does not answer. Is “eta-vlm serve” still running? Start it again, or look at its terminal.',
};

const BROKEN_OFF: Failure = {
  code: 'broken',
  message: 'The answer broke off: the server went away, or the connection did. Ask again.',
};

/** What a header can hold, and a server takes as its key. */
const KEY = /^[\x21-\x7e]+$/;
const NO_KEY: Failure = {
  code: 'key',
  message: 'A key has letters from a to z, digits and signs, without spaces or accents. Type the one of this server.',
};

export class HttpTransport implements Transport {
  #key: string | null = null;

  useKey(key: string): void {
    this.#key = key;
  }

  async *ask(request: AskRequest, signal: AbortSignal): AsyncGenerator<AskChunk, void> {
    const response = await this.#fetch('v1/chat/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal,
    });
    if (response.body === null) throw new TransportError(BROKEN_OFF);
    let isWhole = false;
    try {
      for await (const data of eventData(response.body)) {
        if (data === '[DONE]') {
          isWhole = true;
          break;
        }
        const chunk = JSON.parse(data) as AskChunk | { readonly error: unknown };
        if ('error' in chunk) throw new TransportError(failureOf(chunk, 'broken'));
        yield chunk;
      }
    } catch (error) {
      if (error instanceof TransportError || signal.aborted) throw error;
      throw new TransportError(BROKEN_OFF);
    }
    if (!isWhole) throw new TransportError(BROKEN_OFF);
  }

  async facts(): Promise<Facts> {
    return await this.#json<Facts>('eta/facts');
  }

  async gallery(): Promise<Gallery> {
    const list = new URL('eta/gallery', document.baseURI);
    const gallery = await this.#json<Gallery>('eta/gallery');
    const pictures = gallery.pictures.map(async (picture) => {
      const url = new URL(picture.url, list).href;
      if (this.#key === null) return { ...picture, url };
      // An <img> sends no key.
      const response = await this.#fetch(url, { signal: AbortSignal.timeout(FETCHING_MS) });
      return { ...picture, url: await whole(async () => await dataUrlOf(await response.blob())) };
    });
    return { pictures: await Promise.all(pictures) };
  }

  async #json<Value>(path: string): Promise<Value> {
    const response = await this.#fetch(path, { signal: AbortSignal.timeout(10_000) });
    return await whole(async () => (await response.json()) as Value);
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#key !== null && !KEY.test(this.#key)) throw new TransportError(NO_KEY);
    if (this.#key !== null) headers.set('authorization', `Bearer ${this.#key}`);
    let response: Response;
    try {
      response = await fetch(new URL(path, document.baseURI), { ...init, headers, cache: 'no-store' });
    } catch (error) {
      if (init.signal?.aborted === true && (init.signal.reason as Error).name !== 'TimeoutError') throw error;
      throw new TransportError(UNREACHABLE);
    }
    if (response.ok) return response;
    throw new TransportError(await refusalOf(response));
  }
}

/** What is read of a response. @throws TransportError where it breaks off, or is not what it should be */
async function whole<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch {
    throw new TransportError(UNREACHABLE);
  }
}

/** The sentence of the server where it gave one, ours where it did not. */
async function refusalOf(response: Response): Promise<Failure> {
  if (response.status === 401)
    return { code: 'key', message: 'This server wants a key: the one that it was started with (--api-key).' };
  const body = (await response.json().catch(() => null)) as unknown;
  return failureOf(body, `status ${response.status}`);
}

function failureOf(body: unknown, code: string): Failure {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown; param?: unknown } };
  return {
    param: typeof error?.param === 'string' ? error.param : null,
    code: typeof error?.code === 'string' ? error.code : code,
    message:
      typeof error?.message === 'string' && error.message !== ''
        ? error.message
        : `The server could not answer (${code}). Ask again; its terminal may say more.`,
  };
}
