/** What somebody writes to name files of a hub: hf:owner/name, with a revision, a quantisation or a file behind it. */
import { UsageError } from '../errors.js';
import { describe } from '../options.js';

/** A repository of models at a revision. */
export interface RepoAddress {
  /** "owner/name". */
  readonly repo: string;
  /** A branch, a tag or a commit; without a slash, from which a file could not be told. */
  readonly revision: string;
}

export interface HubAddress extends RepoAddress {
  /** Such as "Q4_K_M"; null: nothing was said. */
  readonly quantisation: string | null;
  /** A path in the repository; null: the files are to be chosen. */
  readonly file: string | null;
}

const PREFIX = 'hf:';
const FORMS = 'hf:owner/name, hf:owner/name:Q4_K_M or hf:owner/name/file.gguf';
const FORM = /^([\w.-]+\/[\w.-]+?)(?:@([\w.-]+))?(?::([\w.-]+)|\/(.+))?$/;

/** Whether a text means files of a hub. */
export function isHubAddress(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** @param text with "hf:" or without it @throws UsageError ERR_INVALID_OPTION */
export function parseHubAddress(text: string): HubAddress {
  const bare = isHubAddress(text) ? text.slice(PREFIX.length) : text;
  const [, repo = '', revision = 'main', quantisation = null, file = null] = FORM.exec(bare) ?? [];
  if (isRepoName(repo) && isSafePath(revision) && (file === null || isSafePath(file)))
    return { repo, revision, quantisation, file };
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected files of a hub as ${FORMS}, received ${describe(text)}. Write owner and name as the hub shows them.`,
  );
}

export function isRepoName(repo: string): boolean {
  const parts = repo.split('/');
  return parts.length === 2 && parts.every((part) => /^[\w-][\w.-]*$/.test(part) && !/\.\.|--/.test(part));
}

/** A path below a folder on every system: no way up, no root, no sign that a system forbids. */
export function isSafePath(path: string): boolean {
  return path
    .split('/')
    .every(
      (part) => part !== '' && !/^\.\.?$|[\\:*?"<>|]|[. ]$/.test(part) && !hasControl(part) && !RESERVED.test(part),
    );
}

/** Names of devices on Windows, with any ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

function hasControl(text: string): boolean {
  return /[\p{Cc}\p{Bidi_Control}]/u.test(text);
}

/** As it is written. */
export function hubAddressText({ repo, revision, quantisation, file }: HubAddress): string {
  const at = revision === 'main' ? '' : `@${revision}`;
  const rest = file === null ? (quantisation === null ? '' : `:${quantisation}`) : `/${file}`;
  return `${PREFIX}${repo}${at}${rest}`;
}
