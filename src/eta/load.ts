/** From files to an Eta that answers. */
import { WordTokens } from '../decision/index.js';
import {
  checkEvaluators,
  decisionFacts,
  decisionNotices,
  downloadModels,
  evaluatorsOf,
  FileMarks,
  type FirstRequest,
  gpuLayersThatFit,
  type LoadEtaOptions,
  loadParts,
  loadSchema,
  resolveDecision,
  resolveVector,
  thresholdsOf,
  vectorFacts,
  withDecision,
} from '../loading/index.js';
import { resolveModels } from '../models/index.js';
import { parseOptions } from '../options.js';
import {
  checkGivenThresholds,
  checkThresholds,
  overridePolicy,
  overrideThresholds,
  POLICIES,
} from '../policy/index.js';
import type { ConversationForm } from '../types/turn.js';
import { SentenceEnds } from './align.js';
import { Eta, type EtaParts } from './eta.js';
import { KnownPictures } from './known-pictures.js';
import { warnOnce } from './notice.js';
import { ResidentParts } from './resident-parts.js';

/**
 * Loads language model and projector, and the evaluators that `method` asks: those that only other methods ask are loaded
 * when a request first asks them. Nothing is fetched without `download: true`: every file must be there.
 *
 * @param options all optional; without any, the shipped miniature with our policy
 * @throws UsageError for a wrong option; ModelError for files that are missing, damaged or do not fit together, and
 * ERR_MEMORY for models that need more memory than is free; HubError and FileError where fetching fails; EngineError ERR_ADDON_NOT_FOUND, ERR_CONTEXT, ERR_THREADS;
 * EvaluatorError; AbortError. What was loaded by then is freed.
 */
export async function loadEta(options?: LoadEtaOptions): Promise<Eta> {
  return await load(options, null);
}

/**
 * For one request, which must not wait for what it may not ask: ready with the language model, while the evaluator that is
 * asked first still loads. What goes wrong with one is thrown by the request. What is to be said of a device is said before
 * the answer, so that where one is asked for, it is as {@link loadEta}.
 *
 * @throws as {@link loadEta}
 */
export async function openEta(options: LoadEtaOptions, first: FirstRequest): Promise<Eta> {
  const { evaluatorDevice = 'cpu' } = options;
  return await load(options, evaluatorDevice === 'cpu' ? first : null);
}

async function load(options: LoadEtaOptions | undefined, first: FirstRequest | null): Promise<Eta> {
  const parsed = parseOptions(loadSchema, options, 'loadEta options');
  const policy = overridePolicy(POLICIES[parsed.policy], parsed, 'loadEta options');
  await downloadModels(parsed.models, parsed);
  const found = await resolveModels(parsed.models ?? 'miniature', parsed);
  const decision = await resolveDecision(parsed.decision, { ...parsed, ofSet: found.published?.guard });
  const safetyVector = await resolveVector(parsed.safetyVector, { ...found, policy, decision });
  // Who judges by a decision needs no reward model: it is not loaded.
  const models = decision === null ? found : { ...found, rewardModel: null };
  const evaluators = evaluatorsOf(models, decision);
  checkEvaluators(models, policy, evaluators);
  checkGivenThresholds(parsed.thresholds, evaluators);
  const known = await withDecision(await thresholdsOf(models, parsed, policy), decision, { ...parsed, evaluators });
  const inForce = overrideThresholds(known, parsed.thresholds, 'option');
  checkThresholds(inForce.thresholds, {
    policy,
    hasImages: evaluators.pictures !== null,
    evaluators,
  });
  const onNotice = parsed.onNotice ?? warnOnce();
  const files = await FileMarks.of(models, decision);
  const checkFiles = () => files.check();
  const probed = parsed.probe ? new Set<string>() : null;
  const loadAll = async (signal: AbortSignal): Promise<EtaParts> => {
    await checkFiles();
    const gpuLayerCount = await gpuLayersThatFit(models, parsed, decision);
    for (const notice of decisionNotices(decision)) await onNotice(notice);
    const placed = {
      ...parsed,
      ...formOf(parsed),
      decision,
      safetyVector,
      gpuLayerCount,
      probed,
      signal,
      onNotice,
      checkFiles,
    };
    const loaded = await loadParts(models, policy, placed, first);
    return {
      ...loaded,
      files: new KnownPictures(parsed.maxPixels),
      sentenceEnds: new SentenceEnds(loaded.model, loaded.context),
      words: new WordTokens(loaded.model),
    };
  };
  const resident = new ResidentParts({ load: loadAll, idleUnloadMs: parsed.idleUnloadMs });
  const loaded = await loadedFacts(resident, parsed.signal);
  const { contextSize, cacheType = 'f16', verifyHashes = true } = parsed;
  const facts = {
    policy,
    ...inForce,
    models,
    decision: decision && decisionFacts(decision),
    safetyVector: safetyVector && vectorFacts(safetyVector),
    evaluators,
    contextSize,
    cacheType,
    reuse: parsed.reuse,
    exact: parsed.exact,
    verifyHashes,
    ...loaded,
  };
  return new Eta(resident, facts, parsed.models === undefined ? onNotice : null);
}

/** The paper's code writes LLaVA's own form, whatever a file says. */
function formOf({ policy, conversationForm }: Pick<LoadEtaOptions, 'policy' | 'conversationForm'>): {
  readonly conversationForm: ConversationForm;
} {
  return { conversationForm: conversationForm ?? (policy === 'paper' ? 'llava_v1' : 'file') };
}

/** What the loaded parts alone know; they are freed where nobody gets them. */
async function loadedFacts(resident: ResidentParts<EtaParts>, signal: AbortSignal | undefined) {
  try {
    return await resident.use(signal, async ({ evaluators, model }) => ({
      evaluatorDevices: evaluators.devices,
      conversationForm: model.conversationForm,
    }));
  } catch (error) {
    await resident.dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}
