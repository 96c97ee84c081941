/** For `download: true`: what a choice lacks is fetched before anything is loaded. */
import { readForm } from '../decision/index.js';
import { ModelError } from '../errors.js';
import { hubSettings, WholeProgress } from '../hub/index.js';
import { ggufShapes, type ModelChoice, type PublishedSet, planHere, publishedIn } from '../models/index.js';
import { type DecisionChoice, decisionAddresses, resolveDecision } from './decision.js';
import type { LoadEtaOptions } from './load-options.js';
import { tooLarge } from './memory-fit.js';
import { carryOut, checkLicences, type OwnGuard, type PullModelsOptions, preparePull } from './pull.js';

interface DownloadOptions extends PullModelsOptions {
  readonly download: boolean;
  readonly acceptLicence: boolean;
  readonly decision?: string | DecisionChoice | undefined;
  readonly onProgress?: LoadEtaOptions['onProgress'];
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
  const addresses = decisionAddresses(options.decision);
  const ownGuard = addresses.length > 0 ? undefined : await ownGuardOf(options.decision, ofModels);
  for (const published of ofModels)
    if (!(await isHere(published, folder))) await download(published, { ...options, ownGuard });
  for (const address of addresses) if (!(await isHere(address, folder))) await download(address, options);
}

/** One whose files are here; undefined: the set's own, if it has one. */
async function ownGuardOf(
  decision: DownloadOptions['decision'],
  ofModels: readonly (string | PublishedSet)[],
): Promise<OwnGuard | undefined> {
  if (decision === undefined || ofModels.length === 0) return undefined;
  const { form, guard } = typeof decision === 'string' ? { form: decision, guard: undefined } : decision;
  if (guard === undefined && (await readForm(form)).asks === 'guard') return undefined;
  const resolved = await resolveDecision(decision);
  const files = resolved?.files ?? null;
  const shape = files === null ? null : await ggufShapes(files.guard, files.guardProjector);
  return { shape, maxTokens: resolved?.form.maxTokens };
}

async function download(published: string | PublishedSet, options: DownloadOptions): Promise<void> {
  const { acceptLicence, checkMemory, signal, onProgress } = options;
  const prepared = await preparePull(published, options);
  checkLicences(prepared.plan, acceptLicence);
  if (prepared.fit?.fits === false && checkMemory !== false) throw tooLarge(prepared.fit);
  const total = prepared.missingBytes;
  const whole = new WholeProgress(total);
  const tell = (fraction: number) =>
    onProgress?.({ part: 'download', fraction, bytes: { received: Math.round(fraction * total), total } });
  tell(0);
  await carryOut(prepared, { signal, onProgress: (at) => tell(whole.fraction(at)) });
  tell(1);
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
