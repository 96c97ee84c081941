/** What a hub's refusal means, and what to do about it. */
import { HubError } from '../errors.js';
import { describePath } from '../options.js';
import type { Reply } from './exchange.js';

/** What was asked for. */
export interface Asked {
  readonly repo: string;
  readonly revision: string;
  /** Null: the list of its files. */
  readonly file: string | null;
  readonly hasToken: boolean;
  readonly url: URL;
}

/** Failures that may pass: too many requests, and a server that is in trouble. */
const PASSING = [408, 425, 429, 500, 502, 503, 504];

export function isPassing(status: number): boolean {
  return PASSING.includes(status);
}

/** @param reply of a status that is none of success */
export function refusalOf({ statusCode: status = 0, headers }: Reply, asked: Asked): HubError {
  const { repo, hasToken, url } = asked;
  const code = String(headers['x-error-code'] ?? '');
  const said = saidOf(headers['x-error-message']);
  const page = `${url.origin}/${repo}`;
  if (status === 407)
    return new HubError(
      'ERR_HUB_UNREACHABLE',
      'Expected the proxy to let the request pass, received status 407. Write user and password into its address.',
    );
  if (status === 429) return busy(url, headers['retry-after']);
  if (code === 'GatedRepo' || (status === 403 && code === ''))
    return new HubError(
      'ERR_HUB_REFUSED',
      `Expected to be let into ${repo}, which asks for its terms to be accepted, received status ${status}${said}. Accept them at ${page}, then ${hasToken ? 'run it again with the token of that account (HF_TOKEN)' : 'set HF_TOKEN to a token of that account'}.`,
    );
  if (status === 401 || status === 403)
    return new HubError(
      'ERR_HUB_REFUSED',
      hasToken
        ? `Expected ${url.host} to accept the token of HF_TOKEN for ${repo}, received status ${status}${said}. Check owner and name; make a new token, or take the variable away for a public model.`
        : `Expected ${repo} to be there for everybody, received status ${status}${said}: there is no such model, or it is private. Check owner and name; for a private one set HF_TOKEN.`,
    );
  if (status === 404 || status === 410) return notFound(asked, code, said);
  if (isPassing(status))
    return new HubError(
      'ERR_HUB_UNREACHABLE',
      `Expected ${url.host} to answer, received status ${status}${said}. It is in trouble: try again later; what was fetched stays.`,
    );
  return new HubError(
    'ERR_HUB_REPLY',
    `Expected ${wanted(asked)} from ${url.host}, received status ${status}${said}. Check HF_ENDPOINT and the proxy: what answers there may be no hub.`,
  );
}

function notFound(asked: Asked, code: string, said: string): HubError {
  const { repo, revision, file, url } = asked;
  const isAboutRevision = code === 'RevisionNotFound';
  const remedy = isAboutRevision
    ? 'Name a branch, a tag or a commit that is there.'
    : file === null || code === 'RepoNotFound'
      ? 'Check owner and name.'
      : `See which files there are: ${url.origin}/${repo}/tree/${revision}.`;
  return new HubError(
    'ERR_HUB_NOT_FOUND',
    `Expected ${isAboutRevision ? `the revision ${describePath(revision)} of ${repo}` : wanted(asked)} at ${url.host}, found none (status 404${said}). ${remedy}`,
  );
}

function busy(url: URL, retryAfter: string | undefined): HubError {
  const when =
    retryAfter === undefined ? 'later' : /^\d+$/.test(retryAfter) ? `in ${retryAfter} s` : `at ${retryAfter}`;
  return new HubError(
    'ERR_HUB_BUSY',
    `Expected ${url.host} to answer, received status 429: too many requests. Try again ${when}; what was fetched stays. With HF_TOKEN more requests are allowed.`,
  );
}

function wanted({ repo, file }: Asked): string {
  return file === null ? `the model ${repo}` : `the file ${describePath(file)} of ${repo}`;
}

/** The hub's own words, if they are short enough to be some. */
function saidOf(message: string | string[] | undefined): string {
  const text = String(message ?? '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return text === '' || text.length > 200 ? '' : ` (${JSON.stringify(text)})`;
}
