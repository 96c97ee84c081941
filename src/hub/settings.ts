/** Which hub is asked, as whom, and where its files are kept: the environment that the hub's other clients read too. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { describe } from '../options.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HubSettings {
  /** Where the hub answers: `HF_ENDPOINT`, else https://huggingface.co. */
  readonly endpoint: URL;
  /** `HF_TOKEN`; null: as nobody. It goes to the endpoint's own host alone. */
  readonly token: string | null;
  /** The hub's cache, which other clients share. */
  readonly folder: string;
  /** `HF_HUB_OFFLINE`: no connection is opened, whatever is asked for. */
  readonly isOffline: boolean;
  /** Milliseconds without a byte after which a connection is given up: `HF_HUB_DOWNLOAD_TIMEOUT` in seconds. */
  readonly stallMs: number;
  /** For the proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly environment: Environment;
}

const ENDPOINT = 'https://huggingface.co';
const STALL_MS = 30_000;
const MOST_STALL_MS = 3_600_000;

/**
 * @param folder in place of what the environment says
 * @throws UsageError ERR_INVALID_OPTION for an endpoint that is no address, or a timeout that is no number
 */
export function hubSettings(folder?: string, environment: Environment = process.env): HubSettings {
  const token = environment['HF_TOKEN']?.trim() ?? '';
  return {
    endpoint: endpointOf(environment),
    token: token === '' ? null : token,
    folder: resolve(folder ?? cacheFolder(environment)),
    isOffline: isOn(environment['HF_HUB_OFFLINE']),
    stallMs: stallMsOf(environment),
    environment,
  };
}

/** `LLAMA_CACHE`, `HF_HUB_CACHE`, `hub` below `HF_HOME`, else below the user's cache folder: the first that is set. */
function cacheFolder(environment: Environment): string {
  const set = (name: string) => {
    const value = environment[name]?.trim() ?? '';
    return value === '' ? null : withHome(value);
  };
  const whole = set('LLAMA_CACHE') ?? set('HF_HUB_CACHE');
  if (whole !== null) return whole;
  const home = set('HF_HOME') ?? join(set('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return join(home, 'hub');
}

function withHome(path: string): string {
  return /^~(?=$|[\\/])/.test(path) ? join(homedir(), path.slice(1)) : path;
}

function isOn(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value?.trim() ?? '');
}

function endpointOf(environment: Environment): URL {
  const text = environment['HF_ENDPOINT']?.trim() || ENDPOINT;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '') {
    url.pathname = url.pathname.replace(/\/+$/, '');
    return url;
  }
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `HF_ENDPOINT: expected the address of a hub, such as ${ENDPOINT}, received ${describe(text)}. Correct the variable, or take it away.`,
  );
}

function stallMsOf(environment: Environment): number {
  const text = environment['HF_HUB_DOWNLOAD_TIMEOUT']?.trim() ?? '';
  if (text === '') return STALL_MS;
  const ms = Number(text) * 1000;
  if (ms >= 1 && ms <= MOST_STALL_MS) return ms;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `HF_HUB_DOWNLOAD_TIMEOUT: expected seconds, at most ${MOST_STALL_MS / 1000}, received ${describe(text)}. Correct the variable, or take it away.`,
  );
}
