/** Requests to a hub: redirects are followed, the token stays with the hub's own host, and what passes is tried again. */
import { EtaError, HubError, throwIfAborted } from '../errors.js';
import { describePath } from '../options.js';
import { blocksOf } from './blocks.js';
import type { Reply } from './exchange.js';
import { failureOf } from './failed-call.js';
import { PATIENCE, type Patience, persist, retryAfterMs, type Try } from './patience.js';
import { type Asked, isPassing, refusalOf } from './refusal.js';
import type { HubSettings } from './settings.js';

const MOST_REDIRECTS = 8;
/** Of a page of a list; a thousand files have a twentieth of it, and it is read in one go. */
const MOST_JSON_BYTES = 4 * 2 ** 20;

/** A reply of the last host, and what the hub itself said on the way to it. */
export interface Opened {
  readonly reply: Reply;
  readonly url: URL;
  /** Hash and size that the hub names beside a redirect; null where it names none. */
  readonly linked: { readonly etag: string | null; readonly sizeBytes: number | null };
}

interface OpenOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

export class HubClient {
  readonly settings: HubSettings;
  readonly patience: Patience;

  constructor(settings: HubSettings, patience: Patience = PATIENCE) {
    this.settings = settings;
    this.patience = patience;
  }

  /** An address of the hub, below its endpoint. */
  url(path: string): URL {
    return new URL(`${this.settings.endpoint.href.replace(/\/$/, '')}${path}`);
  }

  /** Where the bytes of a file are asked for. */
  fileUrl(repo: string, commit: string, path: string): URL {
    return this.url(`/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`);
  }

  /**
   * Follows redirects; the token goes to the endpoint's own origin, and nowhere else.
   *
   * @throws AbortError; HubError ERR_HUB_OFFLINE, ERR_HUB_UNREACHABLE, ERR_HUB_REPLY
   */
  async open(url: URL, { headers = {}, signal }: OpenOptions): Promise<Opened> {
    const { endpoint, token, isOffline, stallMs, environment } = this.settings;
    if (isOffline) throw offline(url);
    let linked: Opened['linked'] = { etag: null, sizeBytes: null };
    let at = url;
    for (let count = 0; count <= MOST_REDIRECTS; count++) {
      const isOwn = at.origin === endpoint.origin;
      const credentials: Record<string, string> = isOwn && token !== null ? { authorization: `Bearer ${token}` } : {};
      const { exchange } = await import('./exchange.js'); // HTTP and TLS take a while to load, and most commands fetch nothing
      const reply = await exchange(at, {
        headers: { 'accept-encoding': 'identity', 'user-agent': 'eta-vlm', ...headers, ...credentials },
        stallMs,
        environment,
        signal,
      });
      if (isOwn) linked = linkedOf(reply) ?? linked;
      const to = redirectOf(reply, at);
      if (to === null) return { reply, url: at, linked };
      reply.destroy();
      at = to;
    }
    throw new HubError(
      'ERR_HUB_REPLY',
      `Expected ${url.host} to lead to the file, received more than ${MOST_REDIRECTS} redirects. Check HF_ENDPOINT and the proxy.`,
    );
  }

  /** A document of JSON, tried as often as it may help. @throws AbortError; HubError */
  async json(url: URL, asked: Omit<Asked, 'url' | 'hasToken'>, signal: AbortSignal | undefined): Promise<Json> {
    const whole = { ...asked, url, hasToken: this.settings.token !== null };
    return await persist(() => this.#tryJson(whole, signal), this.patience, signal);
  }

  async #tryJson(asked: Asked, signal: AbortSignal | undefined): Promise<Try<Json>> {
    try {
      const opened = await this.open(asked.url, { headers: { accept: 'application/json' }, signal });
      const failure = failedTry(opened, asked);
      if (failure !== null) return failure;
      const { reply } = opened;
      const text = await textOf(blocksOf(reply, opened.url, this.settings.stallMs), MOST_JSON_BYTES);
      return { value: { value: JSON.parse(text), next: nextOf(reply, asked.url) } };
    } catch (error) {
      return retriable(error, asked.url, signal);
    }
  }
}

export interface Json {
  readonly value: unknown;
  /** Where the list goes on; null: it ends here. */
  readonly next: URL | null;
}

/** A refusal that may pass; null for a reply of success. @throws HubError for one that will not */
export function failedTry({ reply, url }: Opened, asked: Asked): Extract<Try<never>, { failure: HubError }> | null {
  const { statusCode = 0, headers } = reply;
  if (statusCode >= 200 && statusCode < 300) return null;
  reply.destroy();
  // Addresses that a hub signs are good for a while: asked again, it gives another.
  const isElsewhere = url.origin !== asked.url.origin;
  const failure = isElsewhere ? refusedElsewhere(statusCode, url, asked) : refusalOf(reply, asked);
  if (!isPassing(statusCode) && !isElsewhere) throw failure;
  return { failure, waitMs: retryAfterMs(headers['retry-after']), hasGained: false };
}

/** A connection that failed may work at the next try. @throws all else */
export function retriable(
  error: unknown,
  url: URL,
  signal: AbortSignal | undefined,
  hasGained = false,
): Extract<Try<never>, { failure: HubError }> {
  throwIfAborted(signal);
  if (error instanceof SyntaxError)
    throw new HubError(
      'ERR_HUB_REPLY',
      `Expected JSON from ${url.host}, received something else. Check HF_ENDPOINT and the proxy: what answers there may be no hub.`,
      { cause: error },
    );
  const isFailedCall = error instanceof Error && 'code' in error && !(error instanceof EtaError);
  const failure = isFailedCall ? failureOf(error, url, signal) : error;
  if (failure instanceof HubError && failure.code === 'ERR_HUB_UNREACHABLE')
    return { failure, waitMs: null, hasGained };
  throw failure;
}

function refusedElsewhere(status: number, { host }: URL, { repo, file, url }: Asked): HubError {
  return new HubError(
    'ERR_HUB_UNREACHABLE',
    `Expected ${host}, to which ${url.host} leads, to give ${file === null ? 'the list' : describePath(file)} of ${repo}, received status ${status}. Try again later; what was fetched stays.`,
  );
}

function offline(url: URL): HubError {
  return new HubError(
    'ERR_HUB_OFFLINE',
    `Expected what is here already to be enough, because HF_HUB_OFFLINE is set, but ${url.host} would have to be asked. Take the variable away, or fetch the files first.`,
  );
}

function linkedOf({ headers }: Reply): Opened['linked'] | null {
  const etag = headers['x-linked-etag'];
  if (etag === undefined) return null;
  const size = Number(headers['x-linked-size'] ?? Number.NaN);
  return { etag: bareEtag(String(etag)), sizeBytes: Number.isSafeInteger(size) ? size : null };
}

export function bareEtag(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '');
}

/** Null for a reply that is no redirect. @throws HubError ERR_HUB_REPLY for one that leads nowhere, or from TLS to none */
function redirectOf({ statusCode = 0, headers }: Reply, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  const { location = '' } = headers;
  const to = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (to !== null && (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:'))) return to;
  throw new HubError(
    'ERR_HUB_REPLY',
    `Expected ${from.host} to lead to an address of the web${from.protocol === 'https:' ? ', encrypted' : ''}, received another. Check HF_ENDPOINT and the proxy.`,
  );
}

async function textOf(reply: AsyncIterable<Buffer>, mostBytes: number): Promise<string> {
  const blocks: Buffer[] = [];
  let byteCount = 0;
  for await (const block of reply) {
    byteCount += block.length;
    if (byteCount > mostBytes)
      throw new HubError('ERR_HUB_REPLY', `Expected at most ${mostBytes} bytes from the hub, received more.`);
    blocks.push(block);
  }
  return Buffer.concat(blocks).toString('utf8');
}

/** `Link: <address>; rel="next"`, on the same host. */
function nextOf({ headers }: Reply, from: URL): URL | null {
  const [, address = ''] = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(headers['link'] ?? '')) ?? [];
  if (address === '' || !URL.canParse(address, from.href)) return null;
  const next = new URL(address, from);
  return next.origin === from.origin ? next : null;
}
