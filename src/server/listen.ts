/** A server on a port of this machine, or on a socket of its file system. */
import { chmodSync, statSync, unlinkSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createConnection, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type { Eta } from '../index.js';
import { describe, integer, parseOptions } from '../options.js';
import { isLoopback } from './addresses.js';
import { canonicalHost } from './asked-names.js';
import { tellBrokenRequests, unaddressed } from './broken-request.js';
import { Connections, cameOn } from './connections.js';
import { createServer } from './create.js';
import { cameAs, holdContinue } from './expectation.js';
import { failed } from './failure.js';
import { checkOrigins } from './guard.js';
import { type ServerOptions, serverSchema } from './options.js';

const KEEP_ALIVE_MS = 5_000;
/** How often Node looks for connections that have taken too long. */
const CHECKING_MS = 1_000;
const MAX_HEADER_BYTES = 16_384;
/** Of whoever takes nothing of what is sent to him. */
const SILENCE_MS = 60_000;

/** What `listen` takes. */
export interface ListenOptions extends ServerOptions {
  /** Address or name to listen on; beyond loopback an `apiKey` is needed. @default '127.0.0.1' */
  host?: string | undefined;
  /** 0 to 65535; 0: a free one. @default 8080 */
  port?: number | undefined;
  /** Path of a unix socket, in place of host and port, of at most 103 bytes; who may open it may ask. @default none */
  socket?: string | undefined;
  /**
   * Connections at once, 1 to 65536. One more ends the one that has asked nothing for longest, or else one whose request is
   * not all there; where all are being answered it is not taken. @default 1024
   */
  maxConnections?: number | undefined;
  /**
   * Milliseconds from a connection, or from the first byte of a request, until its headers are there; then it is ended. The
   * body has `bodyTimeoutMs` more. @default 15000
   */
  headersTimeoutMs?: number | undefined;
}

/** What every system takes (macOS the least); a longer one would be cut off, and lie elsewhere. */
const LONGEST_SOCKET = 103;

const listenSchema = serverSchema.extend({
  host: z.string('expected an address or a name').min(1, 'expected an address or a name').default('127.0.0.1'),
  port: integer(0, 65_535).default(8080),
  socket: z
    .string('expected a path')
    .min(1, 'expected a path')
    .refine((path) => Buffer.byteLength(path) <= LONGEST_SOCKET, `expected a path of at most ${LONGEST_SOCKET} bytes`)
    .optional(),
  maxConnections: integer(1, 65_536).default(1024),
  headersTimeoutMs: integer(1, 600_000).default(15_000),
});

/** A server that listens. */
export interface Listening {
  /** Such as `http://127.0.0.1:8080`; of a socket its path. */
  readonly url: string;
  /** Takes no more connections, lets running answers end within `graceMs`, then ends them. Idempotent. */
  close(): Promise<void>;
}

/**
 * `createServer` on a port. The Eta stays the caller's.
 *
 * @throws UsageError ERR_INVALID_OPTION for an address beyond loopback without a key, and for one that cannot be listened on;
 * ERR_UNKNOWN_OPTION
 */
export async function listen(eta: Eta, options?: ListenOptions): Promise<Listening> {
  const { host, port, socket, maxConnections, headersTimeoutMs, ...settings } = checkedListenOptions(options);
  const allowedHosts = [...settings.allowedHosts, ...(socket === undefined ? namesOf(host) : ['*'])];
  const server = createServer(eta, { ...settings, allowedHosts });
  const answer = (request: Request, { incoming }: { readonly incoming: { readonly socket: unknown } }) => {
    if (incoming.socket instanceof Socket) cameOn(request, incoming.socket);
    cameAs(request, incoming);
    return server.fetch(request);
  };
  const listener = getRequestListener(answer, {
    overrideGlobalObjects: false,
    errorHandler: () => failed(unaddressed()), // of what comes before `answer`, which throws nothing
  });
  const http = createHttpServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECKING_MS,
      requireHostHeader: false, // or Node would answer without a word
    },
    listener,
  );
  http.headersTimeout = headersTimeoutMs;
  http.requestTimeout = settings.bodyTimeoutMs + headersTimeoutMs;
  http.setTimeout(settings.timeoutMs + SILENCE_MS);
  holdContinue(http);
  tellBrokenRequests(http, new Connections(http, maxConnections), MAX_HEADER_BYTES);
  const url = socket === undefined ? await onPort(http, host, port) : await onSocket(http, socket);
  let closed: Promise<void> | undefined;
  const close = async () => {
    const ended = new Promise<void>((resolve) => http.close(() => resolve()));
    await server.close();
    http.closeIdleConnections();
    const late = setTimeout(() => http.closeAllConnections(), KEEP_ALIVE_MS);
    await ended;
    clearTimeout(late);
  };
  return {
    url,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/**
 * The options with their defaults, before there is an Eta to load for them.
 *
 * @throws as {@link listen}, but for a place that cannot be listened on
 */
export function checkedListenOptions(options?: ListenOptions) {
  const parsed = parseOptions(listenSchema, options, 'listen options');
  checkOrigins(parsed, 'listen options');
  if (parsed.socket !== undefined || parsed.apiKey !== undefined) return parsed;
  if (!isLoopback(parsed.host)) throw needsKey(parsed.host);
  if (parsed.allowedHosts.includes('*')) throw hasAnyHost();
  return parsed;
}

function needsKey(host: string): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    `listen options: apiKey: expected a key for ${describe(host)}, which others reach, received none. Give one of at least 16 characters, or listen on 127.0.0.1.`,
  );
}

function hasAnyHost(): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    "listen options: allowedHosts: expected hosts by their names, because any page that you visit could have a name of its own point here and ask without a key, received '*' and no key. Name them, or give an apiKey.",
  );
}

/** Names under which a server on this address is asked: for one that is all addresses, each of the machine's. */
function namesOf(host: string): string[] {
  const name = canonicalHost(host.replace(/%[^\]]*/, '')); // nobody asks with the zone of an address
  const isEvery = name === '0.0.0.0' || name === '::';
  const found = isEvery ? Object.values(networkInterfaces()).flatMap((all = []) => all) : [];
  return (isEvery ? found.map(({ address }) => canonicalHost(address)) : [name]).filter((known) => known !== null);
}

async function onPort(http: Server, host: string, port: number): Promise<string> {
  await started(http, 'port', `${host}:${port}`, () => http.listen({ host: host.replace(/^\[|\]$/g, ''), port }));
  const { address, family, port: found } = http.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${found}`;
}

/** One that a killed server left behind is taken away; one that answers is not. */
async function onSocket(http: Server, path: string): Promise<string> {
  if (await isDead(path)) unlinkSync(path);
  await started(http, 'socket', path, () => http.listen(path));
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return path;
}

/** Whether a socket lies there that nobody listens on; a file that is none stays, whatever it is. */
async function isDead(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  return await new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(false);
    });
    connection.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

async function started(http: Server, option: 'port' | 'socket', place: string, begin: () => void): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.once('listening', resolve);
      begin();
    });
  } catch (cause) {
    const { code = (cause as Error).message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'which is taken already' : 'which cannot be';
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `listen options: ${option}: expected a place to listen on, received ${describe(place)}, ${why} (${code}). Choose another.`,
      { cause },
    );
  }
}
