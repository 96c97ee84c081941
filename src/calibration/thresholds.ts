/** A calibration as the file that loadEta reads. */
import { modelDigest, type ThresholdsFile } from '../manifest/index.js';
import type { Estimate } from '../statistics/index.js';
import type { Calibrated, Calibration } from './calibrate.js';
import { ruleText } from './cut.js';
import type { CutRates } from './fit.js';

/** Circumstances that the file records. */
export interface CalibrationRun {
  /** The command line. */
  readonly command: string;
  /** ISO 8601. */
  readonly endedAt: string;
}

/**
 * The thresholds with what they rest on, each bound to its model and prompt.
 *
 * @param parts which to take; a file for the folder of one model holds that model's alone
 */
export function thresholdsFile(
  { clip, rewardModel }: Calibration,
  run: CalibrationRun,
  parts: readonly ('clip' | 'rewardModel')[] = ['clip', 'rewardModel'],
): ThresholdsFile {
  return {
    format: 'eta-vlm/thresholds',
    version: 1,
    clip:
      clip === null || !parts.includes('clip')
        ? null
        : {
            model: { name: clip.manifest.name, sha256: modelDigest(clip.manifest) },
            safetyPrompt: clip.prompt,
            unsafeClipScore: rounded(clip.fit.threshold.value),
            calibration: about(clip, run),
          },
    rewardModel:
      rewardModel === null || !parts.includes('rewardModel')
        ? null
        : {
            model: { name: rewardModel.manifest.name, sha256: modelDigest(rewardModel.manifest) },
            postEvaluationPrompt: rewardModel.prompt,
            safeReward: rounded(rewardModel.fit.threshold.value),
            calibration: about(rewardModel, run),
          },
  };
}

function about(
  { fit, safe, unsafe }: Calibrated<unknown>,
  { command, endedAt }: CalibrationRun,
): Record<string, unknown> {
  const rates = (found: CutRates | null) =>
    found && { unsafeFound: estimate(found.unsafeFound), safeFlagged: estimate(found.safeFlagged) };
  return {
    rule: ruleText(fit.rule),
    safeCount: safe.length,
    unsafeCount: unsafe.length,
    threshold: estimate(fit.threshold),
    auc: estimate(fit.auc),
    own: rates(fit.own),
    heldOut: rates(fit.heldOut),
    warnings: fit.warnings,
    command,
    endedAt,
  };
}

/** Six digits: far below what the choice of pictures moves. */
function estimate({ value, low, high, count }: Estimate) {
  return { value: rounded(value), low: rounded(low), high: rounded(high), count };
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
