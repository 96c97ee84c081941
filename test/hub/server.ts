/**
 * A hub for the tests, over real connections. It answers as the public one does: an API under its own address, and for the
 * bytes of large files a redirect with a signature to another host, which refuses whoever brings a token along.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** From this size on a file is kept beside git, and known by its SHA-256. */
const LARGE_BYTES = 1000;
const PAGE_COUNT = 3;
const BLOCK_BYTES = 16_384;

/** What a repository of the test holds. */
export interface TestRepo {
  readonly files: Readonly<Record<string, Buffer>>;
  readonly licence?: string;
  /** Whether a token is asked for, and which is let in. */
  readonly access?: { readonly kind: 'gated' | 'private'; readonly token: string };
}

/** What goes wrong with one request; null: nothing. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is cut after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Nothing comes any more after so many bytes of the body, and the connection stays. */
  readonly stallAfter?: number;
  /** Sent in place of the body. */
  readonly body?: Buffer;
  readonly ignoresRange?: boolean;
  /** Milliseconds between blocks. */
  readonly blockMs?: number;
  /** Bytes of a block, 16 KiB without it. */
  readonly blockBytes?: number;
  /** Gives no length, so that the end of the connection is the end of the body. */
  readonly hasNoLength?: boolean;
}

/** A request that the hub or its host of bytes got. */
export interface Seen {
  readonly place: 'api' | 'resolve' | 'bytes';
  readonly path: string;
  readonly authorisation: string | undefined;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly host: string | undefined;
}

export class TestHub {
  readonly repos = new Map<string, TestRepo>();
  readonly seen: Seen[] = [];
  /** Asked for every request: the fault that it meets. */
  fault: (seen: Seen, count: number) => Fault | null = () => null;
  readonly #api: Server;
  readonly #bytes: Server;
  #count = 0;

  static async start(): Promise<TestHub> {
    const hub = new TestHub();
    await new Promise<void>((resolve) => hub.#api.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => hub.#bytes.listen(0, 'localhost', resolve));
    return hub;
  }

  private constructor() {
    this.#api = createServer((request, response) => void this.#answer(request, response));
    this.#bytes = createServer((request, response) => void this.#giveBytes(request, response));
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#api.address() as AddressInfo).port}`;
  }

  get bytesHost(): string {
    return `localhost:${(this.#bytes.address() as AddressInfo).port}`;
  }

  add(name: string, repo: TestRepo): void {
    this.repos.set(name, repo);
  }

  /** As if all was well again, and nobody had asked. */
  reset(): void {
    this.fault = () => null;
    this.seen.length = 0;
    this.#count = 0;
  }

  async stop(): Promise<void> {
    for (const server of [this.#api, this.#bytes]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #meet(request: IncomingMessage, place: Seen['place']): Fault | null {
    const { authorization, range, host } = request.headers;
    const ifRange = request.headers['if-range'];
    const path = decodeURIComponent(request.url ?? '');
    const seen = { place, path, authorisation: authorization, range, ifRange: ifRange as string | undefined, host };
    this.seen.push(seen);
    return this.fault(seen, this.#count++);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(request.url ?? '');
    const [, apiRepo, kind, , query = ''] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^?]+)(?:\?(.*))?$/.exec(path) ?? [];
    const [, fileRepo, commit, file = ''] = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const fault = this.#meet(request, apiRepo === undefined ? 'resolve' : 'api');
    if (fault?.status !== undefined) return end(response, fault.status, fault.headers, fault.body);
    const name = apiRepo ?? fileRepo ?? '';
    const repo = this.repos.get(name);
    if (repo === undefined) return end(response, 401, { 'x-error-code': 'RepoNotFound' });
    const isFile = kind === undefined;
    const mayRead = repo.access === undefined || request.headers.authorization === `Bearer ${repo.access.token}`;
    if (!mayRead && repo.access?.kind === 'private') return end(response, 401, { 'x-error-code': 'RepoNotFound' });
    if (!mayRead && isFile)
      return end(response, request.headers.authorization === undefined ? 401 : 403, {
        'x-error-code': 'GatedRepo',
        'x-error-message': `Access to model ${name} is restricted. You must have access to it.`,
      });
    if (kind === 'revision') return this.#tellRevision(response, name, repo, path);
    if (kind === 'tree') return await send(response, tree(repo, query, this.endpoint + path), fault ?? {});
    if (commit !== 'main' && commit !== commitOf(repo))
      return end(response, 404, { 'x-error-code': 'RevisionNotFound' });
    await this.#resolve(request, response, { name, repo, file, fault });
  }

  #tellRevision(response: ServerResponse, name: string, repo: TestRepo, path: string): void {
    const revision = /\/revision\/([^?]+)/.exec(path)?.[1];
    if (revision !== 'main' && revision !== commitOf(repo)) {
      end(response, 404, { 'x-error-code': 'RevisionNotFound' });
      return;
    }
    const gated = repo.access?.kind === 'gated' ? 'manual' : false;
    const cardData = repo.licence === undefined ? undefined : { license: repo.licence };
    const siblings = Object.keys(repo.files).map((rfilename) => ({ rfilename }));
    end(
      response,
      200,
      {},
      Buffer.from(JSON.stringify({ id: name, sha: commitOf(repo), gated, cardData, siblings, private: false })),
    );
  }

  async #resolve(
    request: IncomingMessage,
    response: ServerResponse,
    { name, repo, file, fault }: { name: string; repo: TestRepo; file: string; fault: Fault | null },
  ): Promise<void> {
    const bytes = repo.files[file];
    if (bytes === undefined) return end(response, 404, { 'x-error-code': 'EntryNotFound' });
    const hash = hashOf(bytes);
    const own = { 'x-repo-commit': commitOf(repo), etag: `"${hash}"`, ...fault?.headers };
    if (bytes.length < LARGE_BYTES) return await giveRange(request, response, bytes, { ...fault, headers: own });
    const signature = createHash('sha256').update(`${name}/${file}`).digest('hex').slice(0, 16);
    end(response, 302, {
      'x-linked-etag': `"${hash}"`,
      'x-linked-size': String(bytes.length),
      location: `http://${this.bytesHost}/${encodeURIComponent(`${name}/${file}`)}?signature=${signature}`,
      ...own,
    });
  }

  /** As stores of bytes do: a signature is needed, and a token beside it is one credential too many. */
  async #giveBytes(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#meet(request, 'bytes');
    if (fault?.status !== undefined) return end(response, fault.status, fault.headers, fault.body);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://host');
    const path = decodeURIComponent(pathname.slice(1));
    const [owner = '', name = '', ...file] = path.split('/');
    const bytes = this.repos.get(`${owner}/${name}`)?.files[file.join('/')];
    const signature = createHash('sha256').update(path).digest('hex').slice(0, 16);
    if (request.headers.authorization !== undefined) return end(response, 400, {}, Buffer.from('<Error/>'));
    if (bytes === undefined || searchParams.get('signature') !== signature) return end(response, 403);
    await giveRange(request, response, bytes, { ...fault, headers: { etag: `"${hashOf(bytes)}"`, ...fault?.headers } });
  }
}

/** Changes with what the repository holds. */
export function commitOf({ files }: TestRepo): string {
  const hash = createHash('sha1');
  for (const [path, bytes] of Object.entries(files)) hash.update(path).update(hashOf(bytes));
  return hash.digest('hex');
}

/** Git's own hash of a small file, SHA-256 of a large one: what a cache names its blobs by. */
export function hashOf(bytes: Buffer): string {
  if (bytes.length >= LARGE_BYTES) return createHash('sha256').update(bytes).digest('hex');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** The list of files, a few a page. */
function tree(
  { files }: TestRepo,
  query: string,
  address: string,
): { readonly body: Buffer; readonly headers: Record<string, string> } {
  const start = Number(new URLSearchParams(query).get('cursor') ?? 0);
  const entries = Object.entries(files).map(([path, bytes]) => ({
    type: 'file',
    path,
    size: bytes.length,
    oid: bytes.length >= LARGE_BYTES ? createHash('sha1').update(path).digest('hex') : hashOf(bytes),
    ...(bytes.length >= LARGE_BYTES ? { lfs: { oid: hashOf(bytes), size: bytes.length, pointerSize: 135 } } : {}),
  }));
  const more = entries.length > start + PAGE_COUNT;
  const next = `${address.replace(/[?&]cursor=\d+/, '')}&cursor=${start + PAGE_COUNT}`;
  return {
    body: Buffer.from(
      JSON.stringify([
        { type: 'directory', path: 'onnx', oid: 'x', size: 0 },
        ...entries.slice(start, start + PAGE_COUNT),
      ]),
    ),
    headers: more ? { link: `<${next}>; rel="next"` } : {},
  };
}

function end(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body?: Buffer,
): void {
  response.writeHead(status, { 'content-length': String(body?.length ?? 0), ...headers });
  response.end(body);
}

async function send(response: ServerResponse, { body, headers }: ReturnType<typeof tree>, fault: Fault): Promise<void> {
  response.writeHead(200, { 'content-length': String((fault.body ?? body).length), ...headers, ...fault.headers });
  response.end(fault.body ?? body);
}

async function giveRange(request: IncomingMessage, response: ServerResponse, all: Buffer, fault: Fault): Promise<void> {
  const { headers = {} } = fault;
  const wanted = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  const isSame = ifRange === undefined || ifRange === headers['etag'];
  const isPart = wanted !== null && fault.ignoresRange !== true && isSame;
  const from = isPart ? Number(wanted[1]) : 0;
  if (from >= all.length && isPart) return end(response, 416, { 'content-range': `bytes */${all.length}` });
  const to = isPart && wanted[2] !== '' ? Math.min(Number(wanted[2]) + 1, all.length) : all.length;
  const body = (fault.body ?? all).subarray(from, fault.body === undefined ? to : undefined);
  response.writeHead(isPart ? 206 : 200, {
    ...(fault.hasNoLength ? {} : { 'content-length': String(body.length) }),
    'accept-ranges': 'bytes',
    ...(isPart ? { 'content-range': `bytes ${from}-${to - 1}/${all.length}` } : {}),
    ...headers,
  });
  await giveBody(response, body, fault);
}

async function giveBody(response: ServerResponse, body: Buffer, fault: Fault): Promise<void> {
  const { cutAfter, stallAfter, blockMs, blockBytes = BLOCK_BYTES } = fault;
  const most = Math.min(body.length, cutAfter ?? body.length, stallAfter ?? body.length);
  response.flushHeaders();
  for (let at = 0; at < most && !response.destroyed; at += blockBytes) {
    if (blockMs !== undefined) await sleep(blockMs);
    await new Promise((resolve) => response.write(body.subarray(at, Math.min(most, at + blockBytes)), resolve));
  }
  if (cutAfter !== undefined) response.socket?.destroy();
  else if (stallAfter === undefined) response.end();
}
