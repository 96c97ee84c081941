/** What a name of a set, or an address of a hub, comes to: repositories at a commit, and which of their files. */
import { type EtaError, ModelError } from '../errors.js';
import {
  cachedListing,
  damagedFiles,
  type HubClient,
  type HubFile,
  isHubAddress,
  type Listing,
  missingBytes,
  type PullOptions,
  parseHubAddress,
  pullFiles,
  type RepoAddress,
  RepoCache,
} from '../hub/index.js';
import { describePath } from '../options.js';
import type { ModelChoice } from './choice.js';
import type { PublishedPart, PublishedSet, PublishedThreshold } from './published.js';
import { publishedSets } from './registry.js';
import { type ChosenPart, chooseParts, projectorFor } from './repo-choice.js';

export interface PlannedPart extends ChosenPart {
  readonly listing: Listing;
  readonly revision: string;
  /** Null: the hub names none. */
  readonly licence: { readonly name: string; readonly needsConsent: boolean } | null;
  readonly threshold: PublishedThreshold | null;
  /** How a guard is asked; null for what is none. */
  readonly form: string | null;
}

export interface ModelPlan {
  /** Of the set, or the address as it was written. */
  readonly name: string;
  readonly parts: readonly PlannedPart[];
}

/** Where lists of files come from: the hub, or what is here of it. */
export type ListingSource = (address: RepoAddress) => Promise<Listing>;

/** Terms that ask for nothing but to be passed on. */
const FREE = /^(apache-2\.0|mit|isc|bsd|bsd-[23]-clause|cc0-1\.0|cc-by-4\.0|unlicense|bsl-1\.0)$/i;

/** @throws ModelError ERR_MODEL_NOT_FOUND; UsageError ERR_INVALID_OPTION for an address that is none; what `source` throws */
export async function planModels(choice: string | PublishedSet, source: ListingSource): Promise<ModelPlan> {
  if (typeof choice !== 'string') {
    const lists = new Map<string, Promise<Listing>>();
    const parts: PlannedPart[] = [];
    for (const part of choice.published) {
      const key = `${part.repo}@${part.revision}`;
      const list = lists.get(key) ?? source(part);
      lists.set(key, list);
      const planned = plannedPart(choice.name, part, await list);
      parts.push(planned);
      if (part.findsProjector) parts.push(projectorBeside(choice.name, planned));
    }
    return { name: choice.name, parts };
  }
  const address = parseHubAddress(choice);
  const listing = await source(address);
  const licence = listing.licence && { name: listing.licence.name, needsConsent: !FREE.test(listing.licence.name) };
  const parts = chooseParts(listing, address);
  return {
    name: choice,
    parts: parts.map((part) => ({
      ...part,
      listing,
      revision: address.revision,
      licence,
      threshold: null,
      form: null,
    })),
  };
}

function plannedPart(set: string, part: PublishedPart, listing: Listing): PlannedPart {
  const files = part.files.map(({ path, sha256 }): HubFile => {
    const found = listing.files.find((file) => file.path === path);
    if (found === undefined)
      throw new ModelError(
        'ERR_MODEL_NOT_FOUND',
        `${set}: expected ${describePath(path)} in ${part.repo}, which does not have it any more. A newer eta-vlm may name another; until then name files of your own.`,
      );
    if (sha256 !== null && /^[0-9a-f]{64}$/.test(found.hash) && found.hash !== sha256)
      throw new ModelError(
        'ERR_MODEL_MISMATCH',
        `${set}: expected ${describePath(path)} of ${part.repo} with the SHA-256 ${sha256}, which eta-vlm was told, but the hub announces ${found.hash}: another file stands in its place. Nothing was fetched.`,
      );
    return found;
  });
  const { role, revision, licence, threshold = null, form = null } = part;
  return { role, files, listing, revision, licence, threshold, form };
}

/** @throws ModelError ERR_MODEL_NOT_FOUND */
function projectorBeside(set: string, part: PlannedPart): PlannedPart {
  const [model] = part.files;
  const file = model && projectorFor(model, part.listing.files);
  const role = part.role === 'guard' ? 'guardProjector' : 'projector';
  if (file) return { ...part, role, files: [file], threshold: null, form: null };
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `${set}: expected a projector (mmproj) beside ${describePath(model?.path ?? '')} in ${part.listing.repo}, found none. A newer eta-vlm may name another; until then name files of your own.`,
  );
}

/** What of a choice others publish: a set of the registry, or addresses of a hub, of the whole or of its parts. */
export async function publishedIn(choice: ModelChoice): Promise<(string | PublishedSet)[]> {
  if (typeof choice !== 'string') {
    const { languageModel, ...others } = choice;
    const addresses = Object.values(others).filter((path) => typeof path === 'string' && isHubAddress(path));
    return [...(typeof languageModel === 'string' ? await publishedIn(languageModel) : []), ...addresses];
  }
  if (isHubAddress(choice)) return [choice];
  return (await publishedSets()).filter(({ name }) => name === choice);
}

interface HereOptions {
  /** What to throw where anything is not here. */
  readonly lacking?: (name: string, why: string) => EtaError;
  /** As for {@link cachedListing}. */
  readonly isAnnounced?: boolean;
}

/**
 * From what is here alone.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND, or what `lacking` makes, where anything is not here
 */
export async function planHere(
  choice: string | PublishedSet,
  folder: string,
  { lacking = notHere, isAnnounced = false }: HereOptions = {},
): Promise<ModelPlan> {
  const name = typeof choice === 'string' ? choice : choice.name;
  const plan = await planModels(choice, async (address) => {
    const listing = await cachedListing(folder, address, isAnnounced);
    if (listing === null) throw lacking(name, `nothing of ${address.repo} is in ${describePath(folder)}`);
    return listing;
  });
  const missing = await missingFiles(plan, folder);
  const [first] = missing;
  if (first === undefined) return plan;
  const others = missing.length === 1 ? '' : ` and ${missing.length - 1} more`;
  throw lacking(name, `${describePath(first.path)}${others} is not in ${describePath(folder)}`);
}

function notHere(name: string, why: string): ModelError {
  return new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `models: expected the files of ${name} to be here, but ${why}. Fetch them with 'eta-vlm models pull ${name}'. Or load with download: true, which fetches them first.`,
  );
}

async function missingFiles({ parts }: ModelPlan, folder: string): Promise<HubFile[]> {
  const missing: HubFile[] = [];
  for (const { listing, files } of parts) {
    const cache = new RepoCache(folder, listing.repo);
    for (const file of files) if (!(await cache.has(listing.commit, file))) missing.push(file);
  }
  return missing;
}

/** Bytes that fetching would bring. */
export async function bytesToFetch(
  { parts }: ModelPlan,
  folder: string,
  again: readonly HubFile[] = [],
): Promise<number> {
  let byteCount = 0;
  for (const { listing, files } of parts) byteCount += await missingBytes(folder, listing, files, again);
  return byteCount;
}

/** Files that are here and hold other bytes than the hub announced. Each that is here is read whole. @throws AbortError */
export async function damagedIn(
  { parts }: ModelPlan,
  folder: string,
  options: Parameters<typeof damagedFiles>[3] = {},
): Promise<HubFile[]> {
  const damaged: HubFile[] = [];
  for (const { listing, files } of parts) damaged.push(...(await damagedFiles(folder, listing, files, options)));
  return damaged;
}

/**
 * Fetches what is not here, a repository at once: its revision changes when all of it is there. Offline all is here.
 *
 * @throws as {@link pullFiles}
 */
export async function fetchPlan(client: HubClient, { parts }: ModelPlan, options: PullOptions = {}): Promise<void> {
  if (client.settings.isOffline) return;
  const whole = new Map<string, { revision: string; listing: Listing; files: HubFile[] }>();
  for (const { listing, revision, files } of parts) {
    const key = `${listing.repo}@${revision}`;
    const one = whole.get(key) ?? { revision, listing, files: [] };
    one.files.push(...files.filter((file) => !one.files.includes(file)));
    whole.set(key, one);
  }
  for (const one of whole.values()) await pullFiles(client, one, options);
}

/** Where the file of a part lies that is opened. */
export function partPath({ listing, files }: PlannedPart, folder: string): string {
  return new RepoCache(folder, listing.repo).snapshotPath(listing.commit, files[0]?.path);
}
