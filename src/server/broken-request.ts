/** What Node's server of HTTP keeps to itself or refuses: told in the API's form too, though no request ever came of it. */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type EtaError, ServerError, UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { Connections } from './connections.js';
import { bodyOf, statusOf } from './failure.js';

interface ParserError extends Error {
  readonly code?: string;
  /** The parser's own words. */
  readonly reason?: string;
}

/** Answers what is no request, or one that this server cannot keep, and ends its connection. */
export function tellBrokenRequests(http: Server, connections: Connections, maxHeaderBytes: number): void {
  const tell = (socket: Socket, error: EtaError, status = statusOf(error)) => {
    if (connections.canTell(socket)) socket.end(answerTo(error, status), () => socket.destroy());
    else socket.destroy();
  };
  http.on('clientError', (error: ParserError, socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else tell(socket as Socket, meaning(error, maxHeaderBytes));
  });
  http.on('checkExpectation', ({ headers, socket }: IncomingMessage) => tell(socket, unmet(headers.expect), 417));
  http.on('connect', (_incoming, socket) => {
    socket.on('error', () => socket.destroy()); // from here on nobody else hears it
    tell(socket as Socket, noProxy(), 501);
  });
}

/** A request without what its address is made of, which HTTP asks for. */
export function unaddressed(): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    "Expected a request of HTTP with a Host header and a path, received one that lacks them or has one that is none. Name the server's address in it.",
  );
}

/** A request that wants to be told first whether something else than sending its body is well. */
function unmet(expected: string | undefined): UsageError {
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `Expected no Expect header but 100-continue, received ${describe(expected)}. Leave it out.`,
  );
}

/** A request to be the way to somewhere else. */
function noProxy(): ServerError {
  return new ServerError(
    'ERR_ROUTE',
    'Expected a request for this server, received CONNECT: it is no proxy. Ask it directly.',
  );
}

function meaning({ code, reason }: ParserError, maxHeaderBytes: number): EtaError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ServerError(
      'ERR_HEADERS_TOO_LARGE',
      `Expected headers of at most ${maxHeaderBytes} bytes in all, received more. Send fewer cookies and headers.`,
    );
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ServerError('ERR_BODY_TIMEOUT', 'Expected a whole request in time, received less of it. Send it again.');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new ServerError(
      'ERR_BODY_TOO_LARGE',
      'Expected a body in chunks without extensions, received one whose extensions are longer than is read. Send the body alone.',
    );
  return new UsageError(
    'ERR_INVALID_REQUEST',
    `Expected a request of HTTP/1.1 without TLS, received what is none (${reason ?? 'it cannot be read'}). Is the address one of http: and not of https:?`,
  );
}

/** As it goes over the wire. */
function answerTo(error: EtaError, status: number): string {
  const body = JSON.stringify(bodyOf(error));
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ];
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}
