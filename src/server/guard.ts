/** Who may ask: the name it was asked under, the page it was asked from, the key. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ServerError, UsageError } from '../errors.js';
import { describe } from '../options.js';
import { isLoopback } from './addresses.js';
import { canonicalHost } from './asked-names.js';
import type { Settings } from './options.js';

const MAX_AGE_SECONDS = '600';
const METHODS = 'GET, HEAD, POST, OPTIONS';

/** Origins that any page can have. */
const ANY: readonly string[] = ['*', 'null'];

/**
 * Whoever allows every page wants a key: somebody who visits one would ask by it, and not know.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
export function checkOrigins(
  { apiKey, allowedOrigins }: Pick<Settings, 'apiKey' | 'allowedOrigins'>,
  what: string,
): void {
  const any = allowedOrigins.find((origin) => ANY.includes(origin));
  if (any === undefined || apiKey !== undefined) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${what}: allowedOrigins: expected origins by their names, because any page that you visit could ask without a key, received '${any}' and no key. Name them, or give an apiKey.`,
  );
}

export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #keyDigest: Buffer | null;

  constructor({ apiKey, allowedHosts, allowedOrigins }: Pick<Settings, 'apiKey' | 'allowedHosts' | 'allowedOrigins'>) {
    this.#hosts = new Set(allowedHosts);
    this.#origins = new Set(allowedOrigins);
    this.#keyDigest = apiKey === undefined ? null : digestOf(apiKey);
  }

  /**
   * A page elsewhere may point its own name at this machine, and would then be of the same origin: what asks under another
   * name than one of this server's is refused. Addresses of other schemes than http have no such names.
   *
   * @throws ServerError ERR_HOST
   */
  checkHost(request: Request): void {
    const url = new URL(request.url);
    if (!/^https?:$/.test(url.protocol) || this.#hosts.has('*')) return;
    const host = nameOf(request.headers.get('host') ?? url.host);
    if (host !== '' && (isLoopback(host) || this.#hosts.has(host))) return;
    throw new ServerError(
      'ERR_HOST',
      `Expected a request to localhost, or to a name that the server knows, received one to ${describe(host)}. Start the server with that name (--allow-host, or allowedHosts).`,
    );
  }

  /**
   * A page of another origin can send, though not read, without being asked: what changes or costs something is refused.
   *
   * @throws ServerError ERR_ORIGIN
   */
  checkOrigin(request: Request): void {
    const origin = request.headers.get('origin');
    if (origin === null ? request.headers.get('sec-fetch-site') !== 'cross-site' : this.#isKnown(origin, request))
      return;
    throw new ServerError(
      'ERR_ORIGIN',
      `Expected a request from a page of this server, received one from ${describe(origin ?? 'another site')}. Start the server with that origin (--allow-origin, or allowedOrigins).`,
    );
  }

  /** @throws ServerError ERR_KEY */
  checkKey(request: Request): void {
    if (this.#keyDigest === null) return;
    const header = request.headers.get('authorization');
    const [, said] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? [];
    // digests are of one length, whatever was said
    if (said !== undefined && timingSafeEqual(digestOf(said), this.#keyDigest)) return;
    const received = said !== undefined ? 'another' : header === null ? 'none' : 'a header of another form';
    throw new ServerError(
      'ERR_KEY',
      `Expected the server's key as 'Authorization: Bearer KEY', received ${received}. Give the key that the server was started with.`,
    );
  }

  /** What a browser is told; nothing where the origin is none of those that were named. */
  corsHeaders(request: Request): Readonly<Record<string, string>> {
    const origin = request.headers.get('origin');
    if (origin === null) return {};
    if (this.#origins.has('*')) return { 'access-control-allow-origin': '*' }; // and no browser sends credentials then
    if (!this.#origins.has(origin.toLowerCase())) return {};
    return { 'access-control-allow-origin': origin, vary: 'Origin' };
  }

  /** The answer to a browser that asks before it asks. @throws ServerError ERR_ORIGIN */
  preflight(request: Request): Response {
    const cors = this.corsHeaders(request);
    if (Object.keys(cors).length === 0) {
      this.checkOrigin(request);
      return new Response(null, { status: 204, headers: { allow: METHODS } });
    }
    const headers = {
      ...cors,
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers':
        request.headers.get('access-control-request-headers') ?? 'authorization, content-type',
      'access-control-max-age': MAX_AGE_SECONDS,
    };
    return new Response(null, { status: 204, headers });
  }

  #isKnown(origin: string, request: Request): boolean {
    if (this.#origins.has('*') || this.#origins.has(origin.toLowerCase())) return true;
    const { protocol, host } = new URL(request.url);
    // behind a proxy that speaks https the scheme is another, the host the same
    return (
      URL.canParse(origin) &&
      new URL(origin).host === (request.headers.get('host') ?? host) &&
      originScheme(origin, protocol)
    );
  }
}

/** Whether a page of that scheme may be this server's own. */
function originScheme(origin: string, protocol: string): boolean {
  const { protocol: own } = new URL(origin);
  return own === protocol || (own === 'https:' && protocol === 'http:');
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** A host without its port. */
function nameOf(host: string): string {
  const name = host.toLowerCase().replace(/:\d*$/, '');
  return name.startsWith('[') ? (canonicalHost(name) ?? name) : name; // an address has many forms, of which browsers send one
}
