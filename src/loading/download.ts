/** For `download: true`: what a choice lacks is fetched before anything is loaded. */
import { ModelError } from '../errors.js';
import { hubSettings, WholeProgress } from '../hub/index.js';
import { type ModelChoice, type PublishedSet, planHere, publishedIn } from '../models/index.js';
import { type DecisionChoice, decisionAddresses } from './decision.js';
import { tooLarge } from './memory-fit.js';
import { carryOut, checkLicences, type PullModelsOptions, preparePull } from './pull.js';

interface DownloadOptions extends PullModelsOptions {
  readonly download: boolean;
  readonly acceptLicence: boolean;
  readonly decision?: string | DecisionChoice | undefined;
  readonly onProgress?: ((progress: { readonly part: 'download'; readonly fraction: number }) => void) | undefined;
}

/**
 * Where all is here, no connection is opened.
 *
 * @throws as {@link preparePull}, {@link checkLicences}, {@link carryOut}; ModelError ERR_MEMORY before the first byte
 */
export async function downloadModels(choice: ModelChoice | undefined, options: DownloadOptions): Promise<void> {
  if (!options.download) return;
  const { folder } = hubSettings(options.modelsFolder);
  const ofModels = choice === undefined ? [] : await publishedIn(choice);
  for (const published of [...ofModels, ...decisionAddresses(options.decision)])
    if (!(await isHere(published, folder))) await download(published, options);
}

async function download(published: string | PublishedSet, options: DownloadOptions): Promise<void> {
  const { acceptLicence, checkMemory, signal, onProgress } = options;
  const prepared = await preparePull(published, options);
  checkLicences(prepared.plan, acceptLicence);
  if (prepared.fit?.fits === false && checkMemory !== false) throw tooLarge(prepared.fit);
  const whole = new WholeProgress(prepared.missingBytes);
  onProgress?.({ part: 'download', fraction: 0 });
  await carryOut(prepared, {
    signal,
    onProgress: (at) => onProgress?.({ part: 'download', fraction: whole.fraction(at) }),
  });
  onProgress?.({ part: 'download', fraction: 1 });
}

async function isHere(published: string | PublishedSet, folder: string): Promise<boolean> {
  try {
    await planHere(published, folder, { isAnnounced: !hubSettings().isOffline });
    return true;
  } catch (error) {
    if (error instanceof ModelError && error.code === 'ERR_MODEL_NOT_FOUND') return false;
    throw error;
  }
}
