/** An Eta behind HTTP: one function from request to response, for whatever listens. */
import { Hono } from 'hono';
import { ServerError } from '../errors.js';
import type { Eta } from '../index.js';
import { describe, parseOptions } from '../options.js';
import { chatCompletion } from './chat.js';
import { isStopping } from './deadline.js';
import { decisions } from './decisions.js';
import { factsOf } from './facts.js';
import { bodyOf, failed } from './failure.js';
import { galleryRoutes } from './gallery.js';
import { checkOrigins, Guard } from './guard.js';
import { RequestRecord, type ServedRequest } from './log.js';
import { Metrics } from './metrics.js';
import { modelRoutes } from './model-list.js';
import { moderations } from './moderations.js';
import { NO_STORE } from './no-store.js';
import { type ServerOptions, type Settings, serverSchema } from './options.js';
import { pageRoutes } from './page.js';
import { get, patternOf, post, type Route } from './routes.js';
import { Service } from './service.js';
import { tell } from './tell.js';
import { VERSION } from './version.js';

/** Made by `createServer`. */
export interface EtaServer {
  /**
   * Answers one request. It throws nothing: what goes wrong is a response. Where the request's signal fires, or the reader of
   * a stream leaves, the answer ends within a step.
   */
  fetch(request: Request): Promise<Response>;
  /** Takes no more requests, gives running answers `graceMs`, then ends them. The Eta stays. Idempotent. */
  close(): Promise<void>;
}

/**
 * An OpenAI-compatible server around an Eta. It listens nowhere by itself: give `fetch` to hono (`app.mount`), to
 * `@hono/node-server`, to Electron's `protocol.handle`; `listen` is the same on a port.
 *
 * @throws UsageError ERR_INVALID_OPTION, ERR_UNKNOWN_OPTION
 */
export function createServer(eta: Eta, options?: ServerOptions): EtaServer {
  const settings = parseOptions(serverSchema, options, 'createServer options');
  checkOrigins(settings, 'createServer options');
  return new Server(eta, settings);
}

class Server implements EtaServer {
  readonly #app = new Hono();
  readonly #guard: Guard;
  readonly #settings: Settings;
  readonly #metrics = new Metrics();
  readonly #closing = new AbortController();
  /** Requests that have not ended, streams included. */
  #openCount = 0;
  #onIdle: () => void = () => undefined;
  readonly #service: Service;
  #closed: Promise<void> | undefined;

  constructor(eta: Eta, settings: Settings) {
    this.#settings = settings;
    this.#guard = new Guard(settings);
    this.#service = new Service(eta, settings, this.#closing.signal);
    for (const route of this.#routes()) this.#add(route);
    this.#app.notFound(({ req }) => failed(noRoute(req.method, req.path)));
    this.#app.onError((error) => {
      this.#onFault(error);
      return failed(error);
    });
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    const response = await this.#answer(request);
    response.headers.set('x-content-type-options', 'nosniff');
    for (const [name, value] of Object.entries(this.#guard.corsHeaders(request))) response.headers.set(name, value);
    return response;
  };

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const grace = setTimeout(() => this.#closing.abort(), this.#settings.graceMs);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.#openCount === 0) resolve();
    });
    clearTimeout(grace);
  }

  async #answer(request: Request): Promise<Response> {
    try {
      this.#guard.checkHost(request);
      if (request.method === 'OPTIONS') return this.#guard.preflight(request);
      return await this.#app.fetch(request);
    } catch (error) {
      return failed(error);
    }
  }

  #routes(): Route[] {
    const service = this.#service;
    const { eta, settings } = service;
    const health = () => this.#health();
    return [
      post('/v1/chat/completions', (request, record) => chatCompletion(service, request, record)),
      post('/v1/moderations', (request, record) => moderations(service, request, record)),
      post('/v1/decisions', (request, record) => decisions(service, request, record)),
      ...modelRoutes(eta),
      { ...get('/health', health), isOpen: true },
      get('/metrics', () => this.#metrics.response(eta, service.queue)),
      get('/openapi.json', async () => {
        const { openApiDocument } = await import('./openapi.js'); // few ask for it
        return Response.json(openApiDocument(VERSION, settings.apiKey !== undefined));
      }),
      get('/eta/facts', async () => Response.json(await factsOf(eta, settings), { headers: NO_STORE })),
      ...galleryRoutes(eta.facts.models),
      ...(settings.page ? pageRoutes() : []),
    ];
  }

  #add(route: Route): void {
    const { method, isOpen = false, answer } = route;
    const path = patternOf(route);
    this.#app.on(method, path, async ({ req }) => {
      const request = req.raw;
      this.#openCount++;
      const record = new RequestRecord(
        route,
        (served) => this.#ended(served),
        (error) => this.#onFault(error),
      );
      const response = await (async () => {
        if (method === 'POST') this.#guard.checkOrigin(request);
        if (!isOpen) this.#guard.checkKey(request);
        if (this.#closed !== undefined && !isOpen) throw isStopping();
        return await answer(request, record, req.param());
      })().catch((error: unknown) => {
        record.fail(error);
        return failed(error);
      });
      if (!record.isOpen) record.end(response.status);
      return response;
    });
    this.#app.all(path, ({ req }) => wrongMethod(req.method, method));
  }

  #ended(served: ServedRequest): void {
    if (--this.#openCount === 0) this.#onIdle();
    this.#metrics.add(served);
    void tell('onRequest', this.#settings.onRequest, served);
  }

  #onFault(error: unknown): void {
    void tell('onError', this.#settings.onError, error);
  }

  #health(): Response {
    const { isLoaded } = this.#service.eta;
    if (this.#closed === undefined) return Response.json({ status: 'ok', isLoaded }, { headers: NO_STORE });
    return Response.json({ status: 'stopping', isLoaded }, { status: 503, headers: NO_STORE });
  }
}

function noRoute(method: string, path: string): ServerError {
  const received = `${describe(method)} ${describe(path)}`;
  return new ServerError(
    'ERR_ROUTE',
    `Expected a route of the server, received ${received}. GET /openapi.json lists them.`,
  );
}

function wrongMethod(method: string, allowed: string): Response {
  const error = new ServerError('ERR_ROUTE', `Expected ${allowed} for this route, received ${describe(method)}.`);
  return Response.json(bodyOf(error), { status: 405, headers: { ...NO_STORE, allow: allowed } });
}
