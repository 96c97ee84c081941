/** From files to an Eta that answers. */
import {
  checkEvaluators,
  downloadModels,
  evaluatorDevicesOf,
  FileMarks,
  gpuLayersThatFit,
  type LoadEtaOptions,
  loadParts,
  loadSchema,
  thresholdsOf,
} from '../loading/index.js';
import { resolveModels } from '../models/index.js';
import { parseOptions } from '../options.js';
import { checkThresholds, overridePolicy, POLICIES } from '../policy/index.js';
import { SentenceEnds } from './align.js';
import { Eta, type EtaParts } from './eta.js';
import { warnOnce } from './notice.js';
import { ResidentParts } from './resident-parts.js';

/**
 * Loads language model, projector, CLIP and reward model. Nothing is fetched without `download: true`: every file must be there.
 *
 * @param options all optional; without any, the shipped miniature with our policy
 * @throws UsageError for a wrong option; ModelError for files that are missing, damaged or do not fit together, and
 * ERR_MEMORY for models that need more memory than is free; HubError and FileError where fetching fails; EngineError ERR_ADDON_NOT_FOUND, ERR_CONTEXT; EvaluatorError;
 * AbortError. What was loaded by then is freed.
 */
export async function loadEta(options?: LoadEtaOptions): Promise<Eta> {
  const parsed = parseOptions(loadSchema, options, 'loadEta options');
  const policy = overridePolicy(POLICIES[parsed.policy], parsed);
  await downloadModels(parsed.models, parsed);
  const models = await resolveModels(parsed.models ?? 'miniature', parsed);
  checkEvaluators(models, policy.method);
  const inForce = await thresholdsOf(models, parsed, policy);
  checkThresholds(inForce.thresholds, { method: policy.method, hasImages: models.clip !== null });
  const onNotice = parsed.onNotice ?? warnOnce();
  const files = await FileMarks.of(models);
  const load = async (signal: AbortSignal): Promise<EtaParts> => {
    await files.check();
    const gpuLayerCount = await gpuLayersThatFit(models, parsed);
    const loaded = await loadParts(models, { ...parsed, gpuLayerCount, signal });
    try {
      for (const notice of loaded.notices) await onNotice(notice);
    } catch (error) {
      await loaded.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
    return { ...loaded, sentenceEnds: new SentenceEnds(loaded.model, loaded.context) };
  };
  const resident = new ResidentParts({ load, idleUnloadMs: parsed.idleUnloadMs });
  const evaluatorDevices = await resident
    .use(parsed.signal, async (parts) => evaluatorDevicesOf(parts))
    .catch(async (error: unknown) => {
      await resident.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    });
  const { contextSize, cacheType = 'f16' } = parsed;
  const facts = { policy, ...inForce, models, contextSize, cacheType, evaluatorDevices };
  return new Eta(resident, facts, parsed.models === undefined ? onNotice : null);
}
