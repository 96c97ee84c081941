/** One file of the hub, into its place: resumed where it broke off, and never in place before its hash is right. */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HubError, throwIfAborted } from '../errors.js';
import { describePath } from '../options.js';
import { refusedCall, syncFolder } from '../outputs/index.js';
import { blocksOf, LEAST_RATE } from './blocks.js';
import { bareEtag, failedTry, type HubClient, type Opened, retriable } from './client.js';
import type { HubFile } from './listing.js';
import { checkStart, MAGIC } from './magic.js';
import { persist, type Try } from './patience.js';

const BLOCK_BYTES = 2 ** 20;

export interface BlobTarget {
  readonly repo: string;
  readonly commit: string;
  readonly file: HubFile;
  readonly partPath: string;
  readonly blobPath: string;
}

interface FetchOptions {
  readonly signal: AbortSignal | undefined;
  /** Of this file, that are there. */
  readonly onBytes: (byteCount: number) => void;
}

/** A link in its place would lead the bytes elsewhere: it is taken away. */
async function openPart(path: string): Promise<FileHandle> {
  const found = await lstat(path).catch(() => null);
  if (found?.isSymbolicLink()) await rm(path);
  const noLink = constants.O_NOFOLLOW ?? 0; // Windows has none
  return await open(path, constants.O_RDWR | constants.O_CREAT | noLink, 0o666);
}

/** @throws AbortError; HubError; FileError ERR_FILE_WRITE. What was fetched by then stays as the part */
export async function fetchBlob(client: HubClient, target: BlobTarget, options: FetchOptions): Promise<void> {
  const { partPath, blobPath, file } = target;
  try {
    const handle = await openPart(partPath);
    try {
      await new Fetching(client, target, handle, options).run();
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partPath, blobPath);
    await syncFolder(dirname(blobPath));
  } catch (error) {
    // What it holds would be wrong at the next try too.
    if (error instanceof HubError && ['ERR_HUB_HASH', 'ERR_HUB_CONTENT'].includes(error.code))
      await rm(partPath, { force: true });
    throw refusedCall(file.path, error);
  }
}

class Fetching {
  readonly #client: HubClient;
  readonly #target: BlobTarget;
  readonly #handle: FileHandle;
  readonly #options: FetchOptions;
  #hash: Hash;
  #byteCount = 0;
  /** Whether bytes are from an earlier process, of which nobody knows what it fetched. */
  #isResumed = false;
  /** Of the host that gave the bytes so far: another one means another file. */
  #etag: string | null = null;
  #ownFailure: { readonly error: unknown } | null = null;

  constructor(client: HubClient, target: BlobTarget, handle: FileHandle, options: FetchOptions) {
    this.#client = client;
    this.#target = target;
    this.#handle = handle;
    this.#options = options;
    this.#hash = hashFor(target.file);
  }

  async run(): Promise<void> {
    await this.#readPart();
    await this.#fetchRest();
    if (!this.#isRight()) {
      if (!this.#isResumed) throw this.#wrongHash();
      await this.#restart();
      await this.#fetchRest();
      if (!this.#isRight()) throw this.#wrongHash();
    }
    await checkStart(this.#handle, this.#target);
  }

  async #fetchRest(): Promise<void> {
    const { signal } = this.#options;
    await persist(() => this.#try(), this.#client.patience, signal);
  }

  /** What an earlier process left counts as fetched, once it has been hashed. */
  async #readPart(): Promise<void> {
    const { file } = this.#target;
    const { size } = await this.#handle.stat();
    if (size > file.sizeBytes) return await this.#restart();
    const block = Buffer.alloc(BLOCK_BYTES);
    while (this.#byteCount < size) {
      throwIfAborted(this.#options.signal);
      const { bytesRead } = await this.#handle.read(block, 0, block.length, this.#byteCount);
      if (bytesRead === 0) break;
      this.#hash.update(block.subarray(0, bytesRead));
      this.#byteCount += bytesRead;
    }
    this.#isResumed = this.#byteCount > 0;
    this.#options.onBytes(this.#byteCount);
  }

  async #restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = hashFor(this.#target.file);
    this.#byteCount = 0;
    this.#isResumed = false;
    this.#etag = null;
    this.#options.onBytes(0);
  }

  async #try(): Promise<Try<null>> {
    const { repo, commit, file } = this.#target;
    const { signal } = this.#options;
    if (this.#byteCount === file.sizeBytes) return { value: null };
    const url = this.#client.fileUrl(repo, commit, file.path);
    const asked = { repo, revision: commit, file: file.path, hasToken: this.#client.settings.token !== null, url };
    const before = this.#byteCount;
    let at = url;
    try {
      const opened = await this.#client.open(url, { headers: this.#rangeHeaders(), signal });
      at = opened.url;
      if (opened.reply.statusCode === 416) return await this.#refusedRange(opened);
      const failure = failedTry(opened, asked);
      if (failure !== null) return failure;
      await this.#receive(opened);
      if (this.#byteCount === file.sizeBytes) return { value: null };
      return { failure: this.#cutOff(at), waitMs: null, hasGained: this.#byteCount > before };
    } catch (error) {
      if (this.#ownFailure !== null) throw this.#ownFailure.error;
      return retriable(error, at, signal, this.#hasGained(before, error));
    }
  }

  #rangeHeaders(): Record<string, string> {
    if (this.#byteCount === 0) return {};
    const range = { range: `bytes=${this.#byteCount}-` };
    return this.#etag === null ? range : { ...range, 'if-range': this.#etag };
  }

  /** The host has no such bytes: what is here is of another file, and is fetched anew. */
  async #refusedRange({ reply, url }: Opened): Promise<Try<null>> {
    reply.destroy();
    await this.#restart();
    const failure = new HubError(
      'ERR_HUB_REPLY',
      `Expected the rest of ${describePath(this.#target.file.path)} from ${url.host}, received status 416: it has no such bytes. Run it again.`,
    );
    return { failure, waitMs: 0, hasGained: false };
  }

  async #receive({ reply, linked, url }: Opened): Promise<void> {
    const { file } = this.#target;
    try {
      if (linked.etag !== null && linked.etag !== file.hash) throw this.#changed(`the hash ${linked.etag}`);
      const { headers } = reply;
      const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
      const isRest = reply.statusCode === 206 && range !== null && Number(range[1]) === this.#byteCount;
      if (!isRest && this.#byteCount > 0) await this.#restart();
      const length = headers['content-length'];
      const announced = isRest ? range[2] : length;
      if (announced !== undefined && announced !== '*' && Number(announced) !== file.sizeBytes)
        throw this.#changed(`${announced} bytes`);
      const { etag } = headers;
      this.#etag = etag !== undefined && !etag.startsWith('W/') && bareEtag(etag) !== '' ? etag : null;
      const { stallMs } = this.#client.settings;
      for await (const block of blocksOf(reply, url, stallMs))
        await this.#add(block).catch((error: unknown) => this.#fail(error));
    } finally {
      reply.destroy();
    }
  }

  async #add(block: Buffer): Promise<void> {
    const { file } = this.#target;
    throwIfAborted(this.#options.signal);
    if (this.#byteCount + block.length > file.sizeBytes) throw this.#wrong(`${file.sizeBytes} bytes`, 'more');
    for (let done = 0; done < block.length; )
      done += (await this.#handle.write(block, done, block.length - done, this.#byteCount + done)).bytesWritten;
    this.#hash.update(block);
    const before = this.#byteCount;
    this.#byteCount += block.length;
    this.#options.onBytes(this.#byteCount);
    if (before < MAGIC.length && this.#byteCount >= MAGIC.length) await checkStart(this.#handle, this.#target); // not after gigabytes
  }

  /** Whether a try was worth its connection: then the tries are counted anew. */
  #hasGained(before: number, error: unknown): boolean {
    const isSlow = this.#byteCount - before < (LEAST_RATE * this.#client.settings.stallMs) / 1000;
    return this.#byteCount > before && !(isSlow && error instanceof HubError);
  }

  /** What goes wrong here is no failure of the connection, and is not tried again. */
  #fail(error: unknown): never {
    this.#ownFailure = { error };
    throw error;
  }

  #isRight(): boolean {
    return this.#hash.copy().digest('hex') === this.#target.file.hash;
  }

  #wrongHash(): HubError {
    return this.#wrong(`the hash ${this.#target.file.hash}`, `bytes of ${this.#hash.copy().digest('hex')}`);
  }

  #wrong(expected: string, received: string): HubError {
    const { repo, file } = this.#target;
    return new HubError(
      'ERR_HUB_HASH',
      `Expected ${describePath(file.path)} of ${repo} to have ${expected}, as the hub announces it, received ${received}. Nothing was put in place: run it again; if it stays, the hub or a proxy gives wrong bytes.`,
    );
  }

  #changed(received: string): HubError {
    const { repo, file } = this.#target;
    return new HubError(
      'ERR_HUB_CHANGED',
      `Expected ${describePath(file.path)} of ${repo} to stay as it was listed (${file.sizeBytes} bytes, ${file.hash}), received ${received}. It was changed meanwhile: run it again.`,
    );
  }

  #cutOff(url: URL): HubError {
    const { file } = this.#target;
    return new HubError(
      'ERR_HUB_UNREACHABLE',
      `Expected ${file.sizeBytes} bytes of ${describePath(file.path)} from ${url.host}, received ${this.#byteCount} before the connection ended. Run it again: it goes on from there.`,
    );
  }
}

/** SHA-256 of the bytes; of a file that git itself keeps, SHA-1 behind git's own head. */
export function hashFor({ hash, sizeBytes }: HubFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}
