/** GET /eta/facts: who answers here, how it decides, and what it lets a request have. */
import type { Eta } from '../index.js';
import { scoreHistograms } from '../manifest/index.js';
import { mostTokens } from './chat-options.js';
import { isMiniature } from './gallery.js';
import type { Settings } from './options.js';
import { VERSION } from './version.js';

/** What the page, and whoever else asks, is told once. */
export async function factsOf(eta: Eta, settings: Settings) {
  const { policy, models, decision, safetyVector, evaluators, thresholds, thresholdSources, contextSize } = eta.facts;
  const { maxBodyBytes, maxPictures, maxPixels, maxCharacters, maxChoices, maxQueueLength, parallel } = settings;
  const limits = { maxBodyBytes, maxPictures, maxPixels, maxCharacters, maxChoices, maxQueueLength, parallel };
  return {
    version: VERSION,
    model: models.name,
    policy,
    method: policy.method,
    evaluators,
    thresholds,
    thresholdSources,
    decision: decision === null ? null : { form: decision.form, title: decision.title },
    safetyVector: safetyVector === null ? null : { layer: safetyVector.layer, scale: safetyVector.scale },
    limits: { ...limits, maxTokens: mostTokens(policy, settings), timeoutMs: settings.timeoutMs, contextSize },
    models: { name: models.name, isMiniature: isMiniature(models) },
    histograms: await scoreHistograms(eta.facts),
    isPolicyLocked: settings.lockPolicy,
    canFetchPictures: settings.fetchPictures,
    hasGallery: isMiniature(models),
    isLoaded: eta.isLoaded,
  };
}
