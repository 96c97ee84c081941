/**
 * A picture from an address that a client named. The server must not be a way into its own network: every address of the
 * host is checked, the connection goes to the one that was checked and to no other, and each redirect begins anew.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { orAbort } from '../abort.js';
import { AbortError, ImageError, ServerError } from '../errors.js';
import { describe } from '../options.js';
import { type AddressLookup, isPublic, lookupAll } from './addresses.js';

const MOST_REDIRECTS = 3;
/** Of all redirects together. */
const TIMEOUT_MS = 15_000;
const PORTS = ['', '80', '443'];

export interface FetchedPictureOptions {
  /** @default the system's */
  readonly lookup?: AddressLookup | undefined;
  /** Hosts with their ports that may be asked though they are not of the internet. */
  readonly pictureHosts: readonly string[];
  /** Bytes at most. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** @throws ServerError ERR_PICTURE_FETCH; ImageError ERR_IMAGE_TOO_LARGE; AbortError */
export async function fetchPicture(address: string, options: FetchedPictureOptions): Promise<Uint8Array> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    let url = new URL(address);
    for (let left = MOST_REDIRECTS; ; left--) {
      const response = await open(url, options, signal);
      try {
        const to = redirect(response);
        if (to === null) return await bytesOf(response, options.maxBytes);
        if (left === 0) throw refused(`at most ${MOST_REDIRECTS} redirects`, 'more');
        url = new URL(to, url);
      } finally {
        response.destroy(); // or a host could hold the connection
      }
    }
  } catch (cause) {
    if (options.signal.aborted) throw new AbortError(options.signal);
    if (cause instanceof ServerError || cause instanceof ImageError) throw cause;
    throw refused('a picture that can be fetched', 'none: the address does not answer', cause);
  }
}

/** The beginning of the answer, from an address that was checked. */
async function open(url: URL, options: FetchedPictureOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const isKnown = options.pictureHosts.includes(url.host);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused('http: or https:', describe(url.protocol));
  if (url.username !== '' || url.password !== '') throw refused('an address without a password', 'one with');
  if (!isKnown && !PORTS.includes(url.port)) throw refused('port 80 or 443', url.port);
  const finding = addressOf(url.hostname.replace(/^\[|\]$/g, ''), options.lookup ?? lookupAll, isKnown);
  const address = await orAbort(finding, signal); // a resolver may never answer
  const pinned: LookupFunction = (_host, { all }, done) =>
    all === true ? done(null, [address]) : done(null, address.address, address.family);
  return await new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? requestHttp : requestHttps;
    const headers = { accept: 'image/*', 'user-agent': 'eta-vlm' };
    send(url, { lookup: pinned, signal, agent: false, headers, maxHeaderSize: 16_384 }, resolve)
      .on('error', reject)
      .end();
  });
}

/** One that is not of the internet makes the whole host suspect. */
async function addressOf(host: string, lookup: AddressLookup, isKnown: boolean) {
  const family = isIP(host);
  const found = family === 0 ? await lookup(host) : [{ address: host, family }];
  const [first] = found;
  if (first === undefined) throw refused('a host with an address', describe(host));
  if (!isKnown && !found.every(({ address }) => isPublic(address)))
    throw refused('an address of the internet', `${describe(host)}, which is not one, or has one that is not`);
  return { address: first.address, family: first.family };
}

/** Where it sends us; null for an answer. @throws ServerError ERR_PICTURE_FETCH for any other status than 200 */
function redirect({ statusCode = 0, headers: { location } }: IncomingMessage): string | null {
  if (statusCode === 200) return null;
  if ([301, 302, 303, 307, 308].includes(statusCode) && location !== undefined) return location;
  throw refused('a picture', `status ${statusCode}`);
}

async function bytesOf(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const type = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!type.startsWith('image/') && type !== 'application/octet-stream' && type !== '')
    throw refused('a picture', `content-type ${describe(type)}`);
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

function tooLarge(maxBytes: number): ImageError {
  return new ImageError(
    'ERR_IMAGE_TOO_LARGE',
    `expected a picture of at most ${maxBytes} bytes behind the address, received more. Shrink it first.`,
  );
}

function refused(expected: string, received: string, cause?: unknown): ServerError {
  return new ServerError(
    'ERR_PICTURE_FETCH',
    `expected ${expected}, received ${received}. Send the picture itself as a data: URL.`,
    { cause },
  );
}
