/** The thresholds of today, which a calibration is held against. */
import { EtaError } from '../errors.js';
import { thresholdsOf } from '../loading/index.js';
import { POLICIES } from '../policy/index.js';
import type { CalibrateOptions } from './calibrate-options.js';
import type { Calibrated } from './calibration.js';

/** A file in a model's folder that does not fit is what calibration mends: it is in force nowhere. */
export async function thresholdsInForce(options: CalibrateOptions): Promise<{
  readonly unsafeClipScore: Calibrated['current'];
  readonly safeReward: Calibrated['current'];
}> {
  const { safetyPrompt, postEvaluationPrompt } = options;
  const policy = { ...POLICIES.standard, safetyPrompt, postEvaluationPrompt };
  const of = async (
    part: 'clip' | 'rewardModel',
    name: 'unsafeClipScore' | 'safeReward',
  ): Promise<Calibrated['current']> => {
    const models = {
      name: '',
      languageModel: '',
      projector: null,
      clip: null,
      rewardModel: null,
      [part]: options[part],
    };
    try {
      const { thresholds, thresholdSources } = await thresholdsOf(models, {}, policy);
      const value = thresholds[name];
      return value === null ? null : { value, source: thresholdSources[name] };
    } catch (error) {
      if (error instanceof EtaError && (error.code === 'ERR_MODEL_MISMATCH' || error.code === 'ERR_MODEL_INVALID'))
        return null;
      throw error;
    }
  };
  return { unsafeClipScore: await of('clip', 'unsafeClipScore'), safeReward: await of('rewardModel', 'safeReward') };
}
