/**
 * One request and its reply, through a proxy where one is set. Node 20's `fetch` knows no proxy, and how it waits cannot be
 * told to it without a package; Node's own clients can do both.
 */
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { onAbort } from '../abort.js';
import { AbortError, HubError } from '../errors.js';
import { failureOf } from './failed-call.js';
import { proxyFor } from './proxy.js';
import type { Environment } from './settings.js';

export interface ExchangeOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds without a byte, from the connection to the last of the reply. */
  readonly stallMs: number;
  readonly environment: Environment;
  readonly signal: AbortSignal | undefined;
}

/** The head of a reply; its body is read, or it is destroyed. */
export type Reply = IncomingMessage;

/**
 * @throws AbortError; HubError ERR_HUB_UNREACHABLE when no reply comes. The reply's stream fails with what {@link failureOf}
 * takes
 */
export async function exchange(url: URL, options: ExchangeOptions): Promise<Reply> {
  const { signal } = options;
  if (signal?.aborted) throw new AbortError(signal);
  const proxy = proxyFor(url, options.environment);
  const { protocol, ...target } = await targetOf(url, proxy, options);
  return await sent(protocol, { ...target, headers: { ...target.headers, ...options.headers } }, options, url);
}

type Target = RequestOptions & { readonly protocol: string };

async function targetOf(url: URL, proxy: URL | null, options: ExchangeOptions): Promise<Target> {
  const own: Target = {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
  };
  if (proxy === null) return own;
  if (url.protocol === 'http:') {
    const headers = { host: url.host, ...authorisation(proxy) };
    return { ...addressOf(proxy), path: url.href, headers };
  }
  const socket = await tunnel(url, proxy, options);
  const host = own.hostname ?? '';
  // No agent: it would make connections of its own. And only what makes a connection sets its time without bytes.
  const createConnection = () =>
    connectSecure({ socket, host, servername: isIP(host) ? '' : host }).setTimeout(options.stallMs);
  return { ...own, createConnection };
}

function addressOf({ protocol, hostname, port }: URL): Target {
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), port };
}

function authorisation({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** A connection to a host of TLS through a proxy. @throws as {@link exchange} */
async function tunnel(url: URL, proxy: URL, options: ExchangeOptions): Promise<Socket> {
  const host = `${url.hostname}:${url.port || 443}`;
  const target = { ...addressOf(proxy), method: 'CONNECT', path: host, headers: { host, ...authorisation(proxy) } };
  return await new Promise<Socket>((resolve, reject) => {
    const { request, fail, takeBack } = started(proxy.protocol, { ...target, agent: false }, options, proxy, reject);
    request.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode >= 200 && statusCode < 300) {
        takeBack();
        socket.setTimeout(0); // what is sent through it heeds signal and time from here on
        resolve(socket);
        return;
      }
      socket.destroy();
      fail(refusedByProxy(proxy, statusCode));
    });
    request.once('response', ({ statusCode = 0 }) => fail(refusedByProxy(proxy, statusCode)));
    request.end();
  });
}

function refusedByProxy(proxy: URL, status: number): HubError {
  const remedy = status === 407 ? 'Write user and password into its address.' : 'Check the variables of the proxy.';
  return new HubError(
    'ERR_HUB_UNREACHABLE',
    `Expected the proxy ${proxy.host} to open a connection, received status ${status}. ${remedy}`,
  );
}

async function sent(protocol: string, target: RequestOptions, options: ExchangeOptions, url: URL): Promise<Reply> {
  return await new Promise<Reply>((resolve, reject) => {
    const { request, fail, takeBack, hear } = started(protocol, target, options, url, reject);
    request.once('response', (reply: Reply) => {
      hear(reply);
      reply.once('close', takeBack);
      reply.on('error', () => undefined); // whoever reads it hears of it
      resolve(reply);
    });
    request.once('connect', () => fail(refusedByProxy(url, 0)));
    request.end();
  });
}

/** A request that heeds the signal and the time without bytes. */
function started(
  protocol: string,
  target: RequestOptions,
  { stallMs, signal }: ExchangeOptions,
  url: URL,
  reject: (error: unknown) => void,
) {
  const request = (protocol === 'https:' ? secureRequest : plainRequest)({ ...target, timeout: stallMs });
  // Once there is a reply, its stream is what tells whoever reads it why it ends.
  let heard: { destroy(error: Error): unknown } = request;
  const hear = (reply: Reply) => {
    heard = reply;
  };
  const takeBack = onAbort(signal, () => heard.destroy(new AbortError(signal)));
  const fail = (error: unknown) => {
    takeBack();
    request.destroy();
    reject(failureOf(error, url, signal));
  };
  request.on('timeout', () => heard.destroy(stalled(url, stallMs)));
  request.on('error', fail);
  return { request, fail, takeBack, hear };
}

function stalled(url: URL, stallMs: number): HubError {
  return new HubError(
    'ERR_HUB_UNREACHABLE',
    `Expected ${url.host} to go on, received nothing for ${stallMs / 1000} s. Try again later: what was fetched stays. HF_HUB_DOWNLOAD_TIMEOUT sets the seconds.`,
  );
}
