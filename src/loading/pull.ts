/** Models from a hub: what would be fetched, whether there is room for it and whether it would fit, then the fetching. */
import { readForm } from '../decision/index.js';
import { devices } from '../engine/index.js';
import { EtaError, HubError, ModelError, UsageError } from '../errors.js';
import {
  checkNames,
  checkRoom,
  fetchListing,
  freeBytes,
  HubClient,
  type HubFile,
  hubSettings,
  type PullProgress,
} from '../hub/index.js';
import {
  bytesToFetch,
  damagedIn,
  fetchPlan,
  type ModelPlan,
  type ModelShapes,
  type PublishedSet,
  planHere,
  planModels,
  plannedShapes,
  publishedIn,
  publishedSets,
} from '../models/index.js';
import { didYouMean } from '../near-miss.js';
import { describe } from '../options.js';
import { type FitOptions, fitMemory, type MemoryFit, thisMachine } from './memory-fit.js';

/** Who judges answers in place of what a set has for it; its shape is null where the language model itself does. */
export interface OwnGuard {
  readonly shape: ModelShapes['guard'];
  readonly maxTokens: number | undefined;
}

export interface PullModelsOptions extends FitOptions {
  /** Counted in place of the plan's guard. @default the plan's */
  readonly ownGuard?: OwnGuard | undefined;
  /**
   * Told of each file that is here before it is read, to find those that are damaged: they count as missing. Without it
   * none is read.
   */
  readonly onCheck?: ((path: string) => void) | undefined;
  /** The hub's cache. @default what the environment says */
  readonly modelsFolder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is known before the first byte. */
export interface PreparedPull {
  readonly client: HubClient;
  readonly plan: ModelPlan;
  /** To be fetched; what is here already is left out. */
  readonly missingBytes: number;
  /** What is here and holds other bytes than the hub announced; fetched again. */
  readonly damaged: readonly HubFile[];
  /** On the disk of the cache; null where the system does not tell. */
  readonly freeBytes: number | null;
  /** Null where there is no language model in it, or its form is not known here. */
  readonly fit: MemoryFit | null;
}

/**
 * Asks the hub what the choice comes to; no file is fetched.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND; HubError; FileError ERR_FILE_WRITE where the disk has no room; AbortError
 */
export async function preparePull(
  choice: string | PublishedSet,
  options: PullModelsOptions = {},
): Promise<PreparedPull> {
  const { modelsFolder, signal } = options;
  const client = new HubClient(hubSettings(modelsFolder));
  const { folder, isOffline } = client.settings;
  const set = typeof choice === 'string' ? await fetchable(choice) : choice;
  const plan = isOffline
    ? await planHere(set, folder, { lacking: offline })
    : await planModels(set, (address) => fetchListing(client, address, signal));
  for (const { listing, files } of plan.parts) checkNames(listing, files);
  const isChecked = options.onCheck !== undefined && !isOffline;
  const damaged = isChecked ? await damagedIn(plan, folder, { signal, onFile: options.onCheck }) : [];
  const missingBytes = await bytesToFetch(plan, folder, damaged);
  const free = await freeBytes(folder);
  checkRoom(folder, missingBytes, free);
  return { client, plan, missingBytes, damaged, freeBytes: free, fit: await fitOf(plan, client, options) };
}

function offline(name: string, why: string): HubError {
  return new HubError(
    'ERR_HUB_OFFLINE',
    `Expected the files of ${name} to be here, because HF_HUB_OFFLINE is set, but ${why}. Take the variable away to fetch them.`,
  );
}

async function fetchable(choice: string): Promise<string | PublishedSet> {
  const [published] = await publishedIn(choice);
  if (published !== undefined) return published;
  const names = (await publishedSets()).map(({ name }) => name);
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `Expected a set that can be fetched (${names.join(', ')}), or an address as hf:owner/name, received ${describe(choice)}. ${didYouMean(choice, names, 'Check the name.')}`,
  );
}

async function fitOf(plan: ModelPlan, client: HubClient, options: PullModelsOptions): Promise<MemoryFit | null> {
  const { signal, ownGuard } = options;
  try {
    const shapes = await plannedShapes(plan, client, signal);
    if (shapes === null) return null;
    const form = plan.parts.find(({ role }) => role === 'guard')?.form;
    const ofPlan = { shape: shapes.guard, maxTokens: form == null ? undefined : (await readForm(form)).maxTokens };
    const { shape: guard = null, maxTokens: guardMaxTokens } = ownGuard ?? ofPlan;
    return fitMemory({ ...shapes, guard }, { ...options, guardMaxTokens }, thisMachine(devices(), options.device));
  } catch (error) {
    // A form that only llama.cpp knows, or no addon: loading tells more.
    if (error instanceof EtaError && /^ERR_(MODEL_INVALID|ADDON)/.test(error.code)) return null;
    throw error;
  }
}

/** @throws UsageError ERR_LICENCE where terms have to be agreed to, and nobody has */
export function checkLicences({ name, parts }: ModelPlan, accepts: boolean): void {
  const terms = termsOf(parts);
  if (accepts || terms.length === 0) return;
  throw new UsageError(
    'ERR_LICENCE',
    `Expected the terms of ${name} to be agreed to: ${terms.join('; ')}. Read them, then load with acceptLicence: true.`,
  );
}

/** "llama2 of owner/name": each that has to be agreed to, once. */
export function termsOf(parts: ModelPlan['parts']): string[] {
  const asked = parts.filter(({ licence }) => licence?.needsConsent);
  return [...new Set(asked.map(({ licence, listing }) => `${licence?.name} of ${listing.repo}`))];
}

/** @throws as {@link fetchPlan} */
export async function carryOut(
  { client, plan, damaged }: PreparedPull,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((at: PullProgress) => void) | undefined;
  },
): Promise<void> {
  await fetchPlan(client, plan, { ...options, again: damaged });
}
