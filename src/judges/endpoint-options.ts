/** What a judge behind an endpoint is asked by: options, and the address they lead to. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { integer } from '../options.js';

/** Environment variables that say what the options do not. */
export const ENDPOINT_VARIABLES = {
  url: 'ETA_VLM_JUDGE_URL',
  model: 'ETA_VLM_JUDGE_MODEL',
  key: 'ETA_VLM_JUDGE_KEY',
} as const;

const filled = z.string('expected a text').min(1, 'expected a text that is not empty');

/** What a judge behind an endpoint is asked by. */
export interface EndpointOptions {
  /** Address up to the server, to /v1, or to the whole path. @default ETA_VLM_JUDGE_URL */
  url?: string | undefined;
  /** Name of the model there. @default ETA_VLM_JUDGE_MODEL */
  model?: string | undefined;
  /** Environment variable that holds the key; where it is not set no key is sent. @default 'ETA_VLM_JUDGE_KEY' */
  keyVariable?: string | undefined;
  /** Whether it is sent the pictures of requests, as JPEG of at most 2048 pixels a side. @default false */
  pictures?: boolean | undefined;
  /** Questions under way at once, 1 to 256. @default 4 */
  concurrency?: number | undefined;
  /** Tokens of a reply at most, 1 to 1048576. @default 1024 */
  maxTokens?: number | undefined;
  /** Name of the field that says so: newer models of OpenAI want 'max_completion_tokens'. @default 'max_tokens' */
  maxTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /** Temperature, >= 0; null leaves it out, for models that take none. @default 0 */
  temperature?: number | null | undefined;
  /** Milliseconds of one attempt at most, 1 to 3600000. @default 120000 */
  timeoutMs?: number | undefined;
  /**
   * Attempts after the first, 0 to 100, on 408, 409, 425, 429, 5xx, a broken connection, a timeout, or a reply that is none.
   * Only once the endpoint has replied to something: until then the first failure ends it.
   * @default 5
   */
  retryCount?: number | undefined;
  /**
   * Milliseconds of the first pause before another attempt, 0 to 600000; it doubles. A server's Retry-After goes first.
   * @default 1000
   */
  retryDelayMs?: number | undefined;
  /** A server that asks for a longer pause is given up; milliseconds, 0 to 3600000. @default 300000 */
  maxRetryDelayMs?: number | undefined;
}

export const endpointSchema = z.strictObject({
  url: filled.optional(),
  model: filled.optional(),
  keyVariable: filled.default(ENDPOINT_VARIABLES.key),
  pictures: z.boolean('expected true or false').default(false),
  concurrency: integer(1, 256).default(4),
  maxTokens: integer(1, 2 ** 20).default(1024),
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  temperature: z
    .number('expected a number >= 0, or null')
    .min(0, 'expected a number >= 0, or null')
    .nullable()
    .default(0),
  timeoutMs: integer(1, 3_600_000).default(120_000),
  retryCount: integer(0, 100).default(5),
  retryDelayMs: integer(0, 600_000).default(1000),
  maxRetryDelayMs: integer(0, 3_600_000).default(300_000),
});

export type ResolvedEndpointOptions = z.output<typeof endpointSchema>;

/** @throws UsageError ERR_INVALID_OPTION */
export function completionsUrl(text: string | undefined): URL {
  if (text === undefined || text === '') throw missing('URL', ENDPOINT_VARIABLES.url);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `judge endpoint: url: expected an http or https URL such as http://127.0.0.1:8080/v1, received ${JSON.stringify(text)}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `judge endpoint: url: expected an address without user and password, received one with them. Put the key into ${ENDPOINT_VARIABLES.key}.`,
    );
  }
  const path = url.pathname.replace(/(?<!\/)\/+$/, '');
  if (!path.endsWith('/chat/completions')) url.pathname = `${path === '' ? '/v1' : path}/chat/completions`;
  return url;
}

export function missing(what: string, variable: string): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    `judge endpoint: expected the ${what} as an option or in ${variable}, received none.`,
  );
}
