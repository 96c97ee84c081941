/** What a repository of the hub holds at a revision, as the hub announces it. */
import { z } from 'zod';
import { HubError } from '../errors.js';
import { issueOf } from '../json.js';
import { describePath } from '../options.js';
import { isSafePath, type RepoAddress } from './address.js';
import type { HubClient } from './client.js';

const HEX_40 = /^[0-9a-f]{40}$/;
const HEX_64 = /^[0-9a-f]{64}$/;
const MOST_PAGES = 100;

const fileSchema = z.object({
  path: z.string().refine(isSafePath, 'expected a path below the repository'),
  sizeBytes: z.int().min(0),
  /** What the cache names the file by: SHA-256 of its bytes, or for a small one git's own SHA-1 of it. */
  hash: z.union([z.string().regex(HEX_64), z.string().regex(HEX_40)]),
});

export const listingSchema = z.object({
  repo: z.string(),
  commit: z.string().regex(HEX_40),
  licence: z.object({ name: z.string(), link: z.string().nullable() }).nullable(),
  isGated: z.boolean(),
  files: z.array(fileSchema),
});

/** A file of a repository. */
export type HubFile = z.output<typeof fileSchema>;

/** A repository at a commit. */
export type Listing = z.output<typeof listingSchema>;

/** Of the hub's answers, what is read here; they hold much else. */
const infoSchema = z.object({
  sha: z.string().regex(HEX_40, 'expected a commit'),
  gated: z.union([z.boolean(), z.string()]).optional(),
  cardData: z
    .object({
      license: z.unknown(),
      license_name: z.unknown(),
      license_link: z.unknown(),
    })
    .partial()
    .nullish(),
});
const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.int().min(0).optional(),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string().regex(HEX_64, 'expected a SHA-256'), size: z.int().min(0) }).nullish(),
});

/** @throws AbortError; HubError for what cannot be reached, is not there, is not for everybody, or is no list */
export async function fetchListing(
  client: HubClient,
  { repo, revision }: RepoAddress,
  signal?: AbortSignal,
): Promise<Listing> {
  const asked = { repo, revision, file: null };
  const { value } = await client.json(
    client.url(`/api/models/${repo}/revision/${encodeURIComponent(revision)}`),
    asked,
    signal,
  );
  const { sha, gated = false, cardData } = parsed(infoSchema, value, repo);
  const files: HubFile[] = [];
  let next: URL | null = client.url(`/api/models/${repo}/tree/${sha}?recursive=true`);
  for (let page = 0; next !== null && page < MOST_PAGES; page++) {
    const answer = await client.json(next, asked, signal);
    for (const entry of parsed(z.array(entrySchema), answer.value, repo)) {
      if (entry.type === 'file') files.push(fileOf(entry, repo));
    }
    next = answer.next;
  }
  return { repo, commit: sha, licence: licenceOf(cardData), isGated: gated !== false && gated !== 'false', files };
}

function fileOf({ path, size = 0, oid = '', lfs }: z.output<typeof entrySchema>, repo: string): HubFile {
  return parsed(
    fileSchema,
    { path, sizeBytes: lfs?.size ?? size, hash: lfs?.oid ?? oid },
    `${repo}: ${describePath(path)}`,
  );
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new HubError(
    'ERR_HUB_REPLY',
    `Expected the hub's list of ${what}, received something else: ${issueOf(error)}. Check HF_ENDPOINT: what answers there may be no hub.`,
  );
}

function licenceOf(card: z.output<typeof infoSchema>['cardData']): Listing['licence'] {
  const text = (value: unknown): string | null => {
    const said = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string').join(', ');
    const plain = said.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ').trim();
    return plain === '' ? null : plain.slice(0, 200);
  };
  const name = text(card?.license_name) ?? text(card?.license);
  return name === null ? null : { name, link: text(card?.license_link) };
}
