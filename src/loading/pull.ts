/** Models from a hub: what would be fetched, whether there is room for it and whether it would fit, then the fetching. */
import { devices } from '../engine/index.js';
import { EtaError, ModelError, UsageError } from '../errors.js';
import {
  checkRoom,
  fetchListing,
  freeBytes,
  HubClient,
  hubSettings,
  isHubAddress,
  type PullProgress,
} from '../hub/index.js';
import {
  bytesToFetch,
  fetchPlan,
  type ModelChoice,
  type ModelPlan,
  planHere,
  planModels,
  plannedShapes,
  publishedSets,
} from '../models/index.js';
import { type FitOptions, fitMemory, type MemoryFit, thisMachine, tooLarge } from './memory-fit.js';

export interface PullModelsOptions extends FitOptions {
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
export async function preparePull(choice: string, options: PullModelsOptions = {}): Promise<PreparedPull> {
  const { modelsFolder, signal } = options;
  const client = new HubClient(hubSettings(modelsFolder));
  const { folder, isOffline } = client.settings;
  const set = isHubAddress(choice) ? choice : (await publishedSets()).find(({ name }) => name === choice);
  if (set === undefined) {
    const names = (await publishedSets()).map(({ name }) => name);
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a set that can be fetched (${names.join(', ')}), or an address as hf:owner/name, received ${JSON.stringify(choice)}. Check the name.`,
    );
  }
  const plan = isOffline
    ? await planHere(set, folder)
    : await planModels(set, (address) => fetchListing(client, address, signal));
  const missingBytes = await bytesToFetch(plan, folder);
  const free = await freeBytes(folder);
  checkRoom(folder, missingBytes, free);
  return { client, plan, missingBytes, freeBytes: free, fit: await fitOf(plan, client, options) };
}

async function fitOf(plan: ModelPlan, client: HubClient, options: PullModelsOptions): Promise<MemoryFit | null> {
  const { signal } = options;
  try {
    const shapes = await plannedShapes(plan, client, signal);
    return shapes && fitMemory(shapes, options, thisMachine(devices(), options.device));
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
  { client, plan }: PreparedPull,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((at: PullProgress) => void) | undefined;
  },
): Promise<void> {
  await fetchPlan(client, plan, options);
}

interface DownloadOptions extends PullModelsOptions {
  readonly download: boolean;
  readonly acceptLicence: boolean;
  readonly onProgress?: ((progress: { readonly part: 'download'; readonly fraction: number }) => void) | undefined;
}

/**
 * For `download: true`: fetches what a choice lacks. Where all is here, no connection is opened.
 *
 * @throws as {@link preparePull}, {@link checkLicences}, {@link carryOut}; ModelError ERR_MEMORY before the first byte
 */
export async function downloadModels(choice: ModelChoice | undefined, options: DownloadOptions): Promise<void> {
  const { download, acceptLicence, modelsFolder, signal, onProgress } = options;
  if (!download || typeof choice !== 'string') return;
  const set = isHubAddress(choice) ? choice : (await publishedSets()).find(({ name }) => name === choice);
  if (set === undefined) return;
  if (await isHere(set, hubSettings(modelsFolder).folder)) return;
  const prepared = await preparePull(choice, options);
  checkLicences(prepared.plan, acceptLicence);
  if (prepared.fit?.fits === false && options.checkMemory !== false) throw tooLarge(prepared.fit);
  onProgress?.({ part: 'download', fraction: 0 });
  const whole = new WholeProgress(prepared.missingBytes);
  await carryOut(prepared, {
    signal,
    onProgress: (at) => onProgress?.({ part: 'download', fraction: whole.fraction(at) }),
  });
  onProgress?.({ part: 'download', fraction: 1 });
}

async function isHere(set: Parameters<typeof planHere>[0], folder: string): Promise<boolean> {
  try {
    await planHere(set, folder);
    return true;
  } catch (error) {
    if (error instanceof ModelError && error.code === 'ERR_MODEL_NOT_FOUND') return false;
    throw error;
  }
}

/** How far all files together are, told from those that are in work. */
export class WholeProgress {
  readonly #wantedBytes: number;
  /** What was here of each file when it was first told of, and what is now. */
  readonly #files = new Map<string, { readonly from: number; now: number }>();

  constructor(wantedBytes: number) {
    this.#wantedBytes = wantedBytes;
  }

  /** Bytes that came since the fetching began. */
  receivedBytes({ repo, path, receivedBytes }: PullProgress): number {
    const key = `${repo}/${path}`;
    const file = this.#files.get(key) ?? { from: receivedBytes, now: receivedBytes };
    file.now = receivedBytes;
    this.#files.set(key, file);
    return [...this.#files.values()].reduce((sum, { from, now }) => sum + Math.max(0, now - from), 0);
  }

  fraction(at: PullProgress): number {
    return this.#wantedBytes === 0 ? 1 : Math.min(1, this.receivedBytes(at) / this.#wantedBytes);
  }
}
