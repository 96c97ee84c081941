/** What a server takes beside the Eta that answers. */
import { z } from 'zod';
import { integer } from '../options.js';
import type { AddressLookup } from './addresses.js';
import { canonicalHost, canonicalOrigin, canonicalPlace } from './asked-names.js';
import type { ServedRequest } from './log.js';

const MIB = 2 ** 20;

/** What `createServer` takes. */
export interface ServerOptions {
  /** What clients must send as `Authorization: Bearer KEY`; at least 16 characters. @default none: no key is asked for */
  apiKey?: string | undefined;
  /**
   * Names and addresses that a `Host` header may hold beside `localhost`, `127.0.0.1` and `[::1]`, without scheme, port or
   * path; `*`: any, which `listen` takes beside an `apiKey` alone, or on a socket. What asks under another name is refused: a page
   * elsewhere may have had its own name point here. @default none
   */
  allowedHosts?: readonly string[] | undefined;
  /**
   * Origins, such as `https://app.example`, whose pages may call and read from a browser. `*`: every page, and `null`: files
   * and pages without an origin; either only beside an `apiKey`, because any page that somebody visits could ask otherwise.
   * @default none but the server's own
   */
  allowedOrigins?: readonly string[] | undefined;
  /** Answers made at once; others wait. @default 4 */
  parallel?: number | undefined;
  /** Answers that may wait for their turn; who comes then gets 429. @default 64 */
  maxQueueLength?: number | undefined;
  /** Bytes of a request's body, 1 to 268435456. @default 20 MiB */
  maxBodyBytes?: number | undefined;
  /** Pictures of a request. @default 16 */
  maxPictures?: number | undefined;
  /** Pixels of all pictures of a request together. @default 50 million */
  maxPixels?: number | undefined;
  /**
   * Pixels of all requests' pictures that lie decoded in memory at one time, about six bytes each; a request that needs more
   * waits in its place. Never less than `maxPixels`. @default 100 million
   */
  maxPixelsAtOnce?: number | undefined;
  /** Characters of all texts of a request together. @default 1 million */
  maxCharacters?: number | undefined;
  /** What `max_tokens` may ask for at most; without it a request gets the Eta's. @default 4096, or the Eta's where it is more */
  maxTokens?: number | undefined;
  /** Answers of one request: `n` at most, 1 to 128. @default 8 */
  maxChoices?: number | undefined;
  /** Milliseconds for a request from its arrival, its wait included. @default 600000 */
  timeoutMs?: number | undefined;
  /** Milliseconds in which a body has to arrive. @default 30000 */
  bodyTimeoutMs?: number | undefined;
  /** Milliseconds that running answers have when the server closes. @default 10000 */
  graceMs?: number | undefined;
  /** Whether pictures may be named by http: and https: addresses, which the server then fetches. @default false */
  fetchPictures?: boolean | undefined;
  /**
   * Finds the addresses of a host whose picture is fetched; every one of them is checked, and the connection goes to what was
   * checked. @default the system's
   */
  lookup?: AddressLookup | undefined;
  /**
   * Hosts, each with its port where it is not 80 or 443, such as `pictures.internal:9000`, that pictures are fetched from
   * though they are not of the internet. @default none
   */
  pictureHosts?: readonly string[] | undefined;
  /**
   * Whether the Eta's policy holds for every request: one that names another method, thresholds, prompts or bounds of the
   * search, or wants to see what was held back, is refused with 403, ERR_POLICY_LOCKED. How the model's own answer is drawn,
   * its length, seed and stop texts stay the client's. @default false
   */
  lockPolicy?: boolean | undefined;
  /** Whether the page is served at `/`, where the package holds it. @default true */
  page?: boolean | undefined;
  /**
   * Told of each request when it has ended. Texts are in it with `logContent` alone. What it throws becomes a warning of the
   * process, code ETA_LISTENER. @default nobody is told
   */
  onRequest?: ((request: ServedRequest) => void) | undefined;
  /**
   * Told of what went wrong in the server itself; the client gets status 500 and ERR_UNEXPECTED, without its message.
   * What it throws becomes a warning of the process, code ETA_LISTENER. @default nobody is told
   */
  onError?: ((error: unknown) => void) | undefined;
  /** Whether `onRequest` is given what was asked and answered. @default false */
  logContent?: boolean | undefined;
}

/** The longest that a timer of Node's takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const SHORTEST_KEY = 16;
const BOOLEAN = 'expected true or false';

const milliseconds = integer(1, MAX_TIMER_MS);
/** Each in the form in which it is asked; one that could match nothing is refused. */
const namesAs = (expected: string, canonical: (name: string) => string | null) =>
  z
    .array(
      z.string(expected).transform((name, context) => {
        const known = canonical(name);
        if (known !== null) return known;
        context.addIssue({ code: 'custom', message: expected });
        return z.NEVER;
      }),
      'expected an array of names',
    )
    .readonly();
const HOST = "expected a host such as 'models.example' or '192.0.2.7', without scheme, port or path, or '*'";
const hosts = namesAs(HOST, (name) => (name === '*' ? name : canonicalHost(name)));
const PLACE = "expected a host, with its port where it is not 80 or 443, such as 'pictures.example:9000'";
const ORIGIN = "expected an origin such as 'https://app.example', without a path, '*' or 'null'";
const origins = namesAs(ORIGIN, (name) => (name === '*' || name === 'null' ? name : canonicalOrigin(name)));
const isFunction = (value: unknown) => typeof value === 'function';
const key = z
  .string('expected a text')
  .regex(/^[\x21-\x7e]+$/, 'expected a key of visible ASCII characters without spaces')
  .min(SHORTEST_KEY, `expected a key of at least ${SHORTEST_KEY} characters`);

export const serverSchema = z.strictObject({
  apiKey: key.optional(),
  allowedHosts: hosts.default([]),
  allowedOrigins: origins.default([]),
  parallel: integer(1, 255).default(4),
  maxQueueLength: integer(0, 100_000).default(64),
  maxBodyBytes: integer(1, 256 * MIB).default(20 * MIB),
  maxPictures: integer(0, 1024).default(16),
  maxPixels: integer(1, 1_000_000_000).default(50_000_000),
  maxPixelsAtOnce: integer(1, 1_000_000_000).default(100_000_000),
  maxCharacters: integer(1, 256 * MIB).default(1_000_000),
  maxTokens: integer(1, 2 ** 31 - 1).optional(),
  maxChoices: integer(1, 128).default(8),
  timeoutMs: milliseconds.default(600_000),
  bodyTimeoutMs: milliseconds.default(30_000),
  graceMs: integer(0, MAX_TIMER_MS).default(10_000),
  fetchPictures: z.boolean(BOOLEAN).default(false),
  lookup: z.custom<AddressLookup>(isFunction, 'expected a function').optional(),
  pictureHosts: namesAs(PLACE, canonicalPlace).default([]),
  lockPolicy: z.boolean(BOOLEAN).default(false),
  page: z.boolean(BOOLEAN).default(true),
  onRequest: z.custom<(request: ServedRequest) => void>(isFunction, 'expected a function').optional(),
  onError: z.custom<(error: unknown) => void>(isFunction, 'expected a function').optional(),
  logContent: z.boolean(BOOLEAN).default(false),
});

/** The options with their defaults. */
export type Settings = z.output<typeof serverSchema>;
